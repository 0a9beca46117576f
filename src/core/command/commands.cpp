// The table itself. Chapters of the manual are in the order of their first command.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/command/options.hpp"
#include "core/command/run.hpp"
#include "core/command/table.hpp"

namespace baton::command {
namespace {

constexpr std::string_view services_chapter = "Services";
constexpr std::string_view workers_chapter = "Workers";
constexpr std::string_view fronts_chapter = "Listeners and routes";
constexpr std::string_view clients_chapter = "Clients";
constexpr std::string_view daemon_chapter = "The daemon";
constexpr std::string_view agents_chapter = "Agents";
constexpr std::string_view attach_chapter = "Attach servers";
constexpr std::string_view connection_chapter = "The connection";

/// As help_usage: not in the list of `help`.
constexpr std::string_view unlisted = "-";

constexpr std::array service_parameter{Parameter{.name = "service", .type = Type::service}};
constexpr std::array worker_parameter{Parameter{.name = "id", .type = Type::worker}};
constexpr std::array client_parameter{Parameter{.name = "id", .type = Type::client}};
constexpr std::array target_parameter{
    Parameter{.name = "target", .type = Type::target, .choices = "SERVICE|ID|all"}};
constexpr std::array queue_parameter{Parameter{.name = "queue",
                                               .type = Type::choice,
                                               .presence = Presence::optional,
                                               .choices = "lazy|idle|busy|all"}};
constexpr std::array worker_definition_parameters{
    Parameter{.name = "service", .type = Type::service},
    Parameter{.name = "host", .type = Type::host},
    Parameter{.name = "path", .type = Type::path, .ends_options = true},
    Parameter{.name = "arguments", .presence = Presence::rest},
};
constexpr std::array address_parameter{Parameter{.name = "address", .type = Type::address}};
constexpr std::array route_parameters{
    Parameter{.name = "route", .type = Type::pattern, .choices = "[HOST]/PREFIX"},
    Parameter{.name = "service", .type = Type::service},
};
constexpr std::array pattern_parameter{
    Parameter{.name = "route", .type = Type::pattern, .choices = "[HOST]/PREFIX"}};
constexpr std::array bucket_parameters{
    Parameter{.name = "num", .type = Type::number, .least = 1, .most = 10'000},
    Parameter{.name = "secs", .type = Type::duration, .least = 100, .most = 24ULL * 3600 * 1000},
};
constexpr std::array event_limit_parameter{
    Parameter{.name = "n", .type = Type::number, .most = 1'000'000}};
constexpr std::array event_count_parameter{Parameter{.name = "n",
                                                     .type = Type::number,
                                                     .presence = Presence::optional,
                                                     .least = 1,
                                                     .most = 1'000'000}};
constexpr std::array max_users_parameter{
    Parameter{.name = "n", .type = Type::number, .most = 10'000'000}};
constexpr std::array rest_limit_parameter{
    Parameter{.name = "size", .type = Type::size, .most = 1ULL << 50U}};
constexpr std::array on_off_parameter{Parameter{
    .name = "state", .type = Type::on_off, .presence = Presence::optional, .choices = "on|off"}};
constexpr std::array file_parameter{Parameter{.name = "file", .type = Type::path}};
constexpr std::array help_parameter{Parameter{.name = "command", .presence = Presence::rest}};
constexpr std::array host_parameter{Parameter{.name = "host", .type = Type::host}};
constexpr std::array claim_parameters{
    Parameter{.name = "host", .type = Type::host},
    Parameter{.name = "service", .type = Type::service},
};
constexpr std::array report_parameters{
    Parameter{.name = "host", .type = Type::host},
    Parameter{.name = "what", .type = Type::choice, .choices = "started|ended"},
    Parameter{.name = "id", .type = Type::worker},
    Parameter{.name = "pid|text", .presence = Presence::rest, .ends_options = true},
};
constexpr std::array rest_parameter{Parameter{.name = "arguments", .presence = Presence::rest}};
constexpr std::array aci_parameter{
    Parameter{.name = "fields", .presence = Presence::rest, .choices = "KEY=VALUE,"}};

constexpr Option method_option{
    .name = "method", .type = Type::methods, .summary = "Only requests with one of these methods."};
constexpr std::array route_options{
    method_option,
    Option{.name = "pri",
           .type = Type::number,
           .summary = "Priority of its requests instead of the service's; 9 is served first.",
           .most = 9},
};
constexpr std::array unroute_options{Option{
    .name = "method",
    .type = Type::methods,
    .summary =
        "Only the route that was made with the same method=; without it all of this prefix."}};
constexpr std::array event_options{
    Option{.name = "types",
           .type = Type::text,
           .summary = "Only these, from now on: kinds as `json listevents` names them, or their "
                      "first words `request`, `delivery`, `worker`, `attach`, `service`, "
                      "`command`; `all`. Without it: as before."}};
constexpr std::array watch_options{
    Option{.name = "pid",
           .type = Type::number,
           .summary = "The agent's own process id.",
           .most = INT32_MAX},
    Option{.name = "running",
           .type = Type::text,
           .summary = "Workers that outlived a crash of batond, as `ID:PID:SERVICE,…`."},
};
constexpr std::array report_options{
    Option{.name = "holders",
           .type = Type::choice,
           .summary = "Whether every process that might hold its connections is confirmed dead.",
           .choices = "gone|unknown"},
    Option{.name = "exit", .type = Type::number, .summary = "Its exit status.", .most = 255},
    Option{.name = "signal",
           .type = Type::number,
           .summary = "The signal that ended it.",
           .most = 255},
    Option{
        .name = "pid", .type = Type::number, .summary = "Which process it was.", .most = INT32_MAX},
};

/// Not a constant of the namespace: its options live in another file, which might not be
/// initialised.
auto make_table() {
    return std::array{
        // ---- Services
        Command{.words = "config service",
                .parameters = service_parameter,
                .options = service_options(),
                .changes_state = true,
                .group = services_chapter,
                .summary = "Defines a service, or changes the options named of one that is there.",
                .details =
                    "Without `max=` a service is as in isectd: `start` starts each configured "
                    "worker, and nothing scales. With `max=` it counts as started once it is "
                    "defined; workers are started when requests wait, up to `max`, and ended "
                    "when they are idle, down to `min`.\n\n"
                    "A name is one word, or three as in EntireX: `class/name/service`. It is "
                    "never a number, `all`, `lazy`, `idle` or `busy`.",
                .example = "config service thumbs min=0 max=8 idle-timeout=30s queue=1000",
                .help_usage = "config service name",
                .help_text = "defines a service, or changes its options",
                .run = run::config_service},
        Command{.words = "delete service",
                .parameters = service_parameter,
                .changes_state = true,
                .group = services_chapter,
                .summary = "Removes a service that has no request, no running worker and no route.",
                .help_usage = "delete service name",
                .help_text = "deletes a service",
                .run = run::delete_service},
        Command{.words = "services",
                .group = services_chapter,
                .summary = "Lists the services, newest first.",
                .help_text = "lists isectd's services",
                .run = run::services},
        Command{.words = "service",
                .parameters = service_parameter,
                .group = services_chapter,
                .summary = "Shows one service: figures and options.",
                .help_usage = "service name",
                .help_text = "examine the service structure for a name",
                .run = run::service},
        Command{.words = "start",
                .parameters = target_parameter,
                .changes_state = true,
                .group = services_chapter,
                .summary = "Starts a service, all services, or one worker.",
                .details = "A service without `max=`: each configured worker is started and kept "
                           "running. With it: `min` of them, the others on demand.",
                .example = "start thumbs",
                .help_usage = "start service | all",
                .help_text = "start processing messages for service",
                .run = run::start},
        Command{.words = "stop",
                .parameters = target_parameter,
                .changes_state = true,
                .group = services_chapter,
                .summary = "Stops a service, all services, or one worker: workers finish what they "
                           "have and end.",
                .details =
                    "Requests for a stopped service are refused at once (503). Stopped is not "
                    "paused: while a service is paused, requests wait.",
                .help_usage = "stop service | all",
                .help_text = "stop processing messages for service",
                .run = run::stop},
        Command{.words = "pause",
                .parameters = target_parameter,
                .changes_state = true,
                .group = services_chapter,
                .summary = "Gives workers no new requests; the processes live on, requests wait.",
                .details =
                    "A busy worker finishes what it has and is lazy then; the answer comes at "
                    "once.",
                .help_usage = "pause service | worker | all",
                .help_text = "pauses a worker (makes lazy) without killing it",
                .run = run::pause},
        Command{.words = "ready",
                .parameters = target_parameter,
                .changes_state = true,
                .group = services_chapter,
                .summary = "Ends pausing and blocking.",
                .help_usage = "ready service | worker | all",
                .help_text = "unpauses a worker",
                .run = run::ready},

        // ---- Workers
        Command{.words = "config worker",
                .parameters = worker_definition_parameters,
                .options = worker_options(),
                .changes_state = true,
                .group = workers_chapter,
                .summary = "Adds one worker: a program on a host that serves a service.",
                .details =
                    "It gets an id, and is lazy until it is started. Options stand before the "
                    "path; what follows the path belongs to the program. With `max=` the "
                    "first definition of a service is what copies are made of.\n\n"
                    "The program learns by its environment where to report: "
                    "`BATON_WORKER_SOCKET`, `BATON_WORKER_ID`, `BATON_SERVICE`, `BATON_SLOTS`.",
                .example = "config worker thumbs localhost user=www /srv/thumbs/worker --size 256",
                .help_usage = "config worker service host path [arguments]",
                .help_text = "adds a worker to a service",
                .run = run::config_worker},
        Command{.words = "workers",
                .parameters = queue_parameter,
                .group = workers_chapter,
                .summary = "Lists the workers by queue: lazy, idle, busy.",
                .details =
                    "*Lazy*: configured, not started, starting, paused, blocked or lost; the "
                    "reason stands behind the columns. *Idle*: available, no request. *Busy*: "
                    "at least one request; its last response is a running clock, its client "
                    "that of the oldest request, with `+n` for others beside it. `fd` is its "
                    "link in batond.",
                .help_usage = "workers [lazy | idle | busy | all]",
                .help_text = "displays the worker queues",
                .run = run::workers},
        Command{
            .words = "worker",
            .parameters = worker_parameter,
            .group = workers_chapter,
            .summary = "Shows one worker, with a dump of the head of its current or last request.",
            .details = "Credentials in heads are masked.",
            .help_usage = "worker id",
            .help_text = "examine the worker structure for worker id id",
            .run = run::worker},
        Command{.words = "clone",
                .parameters = worker_parameter,
                .changes_state = true,
                .group = workers_chapter,
                .summary = "Configures a worker like another one; it starts if the original runs.",
                .details = "Refused above `max`.",
                .help_usage = "clone workerid",
                .help_text = "clones a worker id",
                .run = run::clone},
        Command{.words = "delete worker",
                .parameters = worker_parameter,
                .changes_state = true,
                .group = workers_chapter,
                .summary = "Removes a lazy worker; one that is paused is drained and ended first.",
                .help_usage = "delete {worker|client} id",
                .help_text = "deletes a client or worker",
                .run = run::delete_worker},

        // ---- Listeners and routes
        Command{.words = "listen http",
                .parameters = address_parameter,
                .options = http_listener_options(),
                .changes_state = true,
                .group = fronts_chapter,
                .summary = "Accepts HTTP/1.0 and HTTP/1.1 connections.",
                .details = "An address is `127.0.0.1:8080`, `[::1]:8080`, `*:8080` (every address, "
                           "IPv4 and IPv6) or `unix:PATH`. Port 0 lets the kernel choose one; "
                           "`listeners` shows it. For an address that is listened on already, the "
                           "options hold for connections that come from now on; what is not named "
                           "has its default.",
                .example = "listen http 0.0.0.0:8080 head-timeout=5s",
                .help_usage = "listen http address",
                .help_text = "accepts HTTP clients",
                .run = run::listen_http},
        Command{.words = "listen command",
                .parameters = address_parameter,
                .options = command_listener_options(),
                .changes_state = true,
                .group = fronts_chapter,
                .summary = "Accepts commands: operators, agents, attach servers.",
                .example = "listen command 127.0.0.1:5501 token=correct-horse",
                .help_usage = "listen command address",
                .help_text = "accepts commands",
                .run = run::listen_command},
        Command{.words = "listen admin",
                .parameters = address_parameter,
                .changes_state = true,
                .group = fronts_chapter,
                .summary = "Serves metrics and JSON over HTTP, for machines that watch.",
                .example = "listen admin 127.0.0.1:9090",
                .help_usage = "listen admin address",
                .help_text = "serves metrics and JSON over HTTP",
                .run = run::listen_admin},
        Command{
            .words = "unlisten",
            .parameters = address_parameter,
            .changes_state = true,
            .group = fronts_chapter,
            .summary = "Closes a listener, by its address as written or as `listeners` shows it.",
            .details = "Connections that are there stay.",
            .help_usage = "unlisten address",
            .help_text = "closes a listener; connections stay",
            .run = run::unlisten},
        Command{.words = "listeners",
                .group = fronts_chapter,
                .summary = "Lists the listeners with the addresses that they have.",
                .help_text = "lists the listeners",
                .run = run::listeners},
        Command{.words = "route",
                .parameters = route_parameters,
                .options = route_options,
                .changes_state = true,
                .group = fronts_chapter,
                .summary = "Sends requests for a host and a path prefix to a service.",
                .details =
                    "The host itself wins over `*.example.org`, that over no host; then the "
                    "longest prefix wins, by whole segments; then a route with the method over "
                    "one without.",
                .example = "route www.example.org/thumbs/ thumbs method=GET,HEAD",
                .help_usage = "route [host]/prefix service",
                .help_text = "sends HTTP requests to a service",
                .run = run::route},
        Command{.words = "unroute",
                .parameters = pattern_parameter,
                .options = unroute_options,
                .changes_state = true,
                .group = fronts_chapter,
                .summary = "Removes routes.",
                .help_usage = "unroute [host]/prefix",
                .help_text = "removes a route",
                .run = run::unroute},
        Command{.words = "routes",
                .group = fronts_chapter,
                .summary = "Lists the routes in the order in which they were made.",
                .help_text = "lists the routes",
                .run = run::routes},

        // ---- Clients
        Command{.words = "clients",
                .group = clients_chapter,
                .summary = "Lists HTTP connections and connections to the command port.",
                .help_text = "displays the client list",
                .run = run::clients},
        Command{.words = "delete client",
                .parameters = client_parameter,
                .group = clients_chapter,
                .summary = "Closes a client's connection; its waiting request is cancelled.",
                .help_usage = unlisted,
                .run = run::delete_client},

        // ---- The daemon
        Command{.words = "status",
                .group = daemon_chapter,
                .summary = "Shows the daemon. The empty command does the same.",
                .help_usage = "<nil>",
                .help_text = "examine isdData",
                .run = run::status},
        Command{.words = "help",
                .parameters = help_parameter,
                .group = daemon_chapter,
                .summary = "Lists the commands, or explains one.",
                .help_usage = "help [command]",
                .help_text = "lists the commands, or explains one",
                .run = run::help},
        Command{.words = "buckets",
                .parameters = bucket_parameters,
                .changes_state = true,
                .group = daemon_chapter,
                .summary = "Sets number and length of the windows in which completed requests are "
                           "counted.",
                .example = "buckets 12 5",
                .help_usage = "buckets num secs",
                .help_text = "set the number of buckets to 'num' and the bucket\n"
                             "size to 'secs' seconds",
                .run = run::buckets},
        Command{.words = "config events",
                .parameters = event_limit_parameter,
                .options = event_options,
                .changes_state = true,
                .group = daemon_chapter,
                .summary = "Sets how many events are remembered, the newest of all; 0: none.",
                .example = "config events 500 types=worker,request_refused",
                .help_usage = "config events n",
                .help_text = "remember n events (listevents)",
                .run = run::config_events},
        Command{
            .words = "listevents",
            .parameters = event_count_parameter,
            .group = daemon_chapter,
            .summary = "Lists what happened, newest first: why a request was or was not scheduled.",
            .help_usage = "listevents [n]",
            .help_text = "list interesting events",
            .run = run::listevents},
        Command{
            .words = "config maxusers",
            .parameters = max_users_parameter,
            .changes_state = true,
            .group = daemon_chapter,
            .summary = "Sets how many clients there may be, HTTP and command connections together.",
            .details = "0: as many as there are descriptors, less those of workers and a reserve.",
            .help_usage = "config maxusers n",
            .help_text = "sets the number of clients that are let in",
            .run = run::config_maxusers},
        Command{.words = "config rest-limit",
                .parameters = rest_limit_parameter,
                .changes_state = true,
                .group = daemon_chapter,
                .summary = "Sets how many bytes may be held of answers that workers have handed "
                           "back because their clients are slow.",
                .details = "1g to begin with. Above it workers wait for slow clients themselves, "
                           "and with 0 always. What workers have in hand at that moment may still "
                           "come on top. Files that have a name count nothing.",
                .example = "config rest-limit 256m",
                .help_usage = "config rest-limit size",
                .help_text = "sets how much is held for slow clients",
                .run = run::config_rest_limit},
        Command{.words = "reject",
                .parameters = on_off_parameter,
                .changes_state = true,
                .group = daemon_chapter,
                .summary = "Lets no new client in (HTTP gets 503); those that are there stay.",
                .details = "Without a word: on.",
                .help_text = "force isectd to reject new client logins",
                .run = run::reject},
        Command{.words = "reset",
                .group = daemon_chapter,
                .summary = "Sets all statistics to zero.",
                .help_text = "resets statistics",
                .run = run::reset},
        Command{.words = "save",
                .group = daemon_chapter,
                .summary = "Prints the commands that make the running configuration.",
                .help_text = "prints the configuration as commands",
                .run = run::save},
        Command{
            .words = "apply",
            .parameters = file_parameter,
            .changes_state = true,
            .group = daemon_chapter,
            .summary = "Makes the running configuration equal to a file that the daemon can read.",
            .details =
                "The file is checked as a whole first. Then only what differs is changed: "
                "services are compared by name, workers by their definitions, routes by "
                "pattern and method, listeners by address. The commands that were run are "
                "the answer. What the file does not mention is removed; a service that still "
                "has requests is stopped, and removed when the file is applied again.",
            .help_usage = "apply file",
            .help_text = "makes the configuration equal to a file",
            .run = run::apply},
        Command{
            .words = "terminate",
            .group = daemon_chapter,
            .summary = "Ends the daemon gracefully: requests are finished, workers and agent end.",
            .help_text = "ends Baton gracefully",
            .run = run::terminate},
        Command{
            .words = "halt",
            .group = daemon_chapter,
            .summary = "Ends the daemon by exit(1), as a crash would: agent and workers live on.",
            .help_text = "isectd calls exit(1)",
            .run = run::halt},
        Command{.words = "abort",
                .group = daemon_chapter,
                .summary = "The same with a core.",
                .help_text = "isectd calls abort() - creates a core file",
                .run = run::abort},

        // ---- Agents
        Command{.words = "agent config",
                .parameters = host_parameter,
                .group = agents_chapter,
                .summary = "What an agent of this host needs to know, as JSON.",
                .details =
                    "Members: `host`, `worker_socket`, `reconnect_seconds`, `services` (each "
                    "with `name` and `attach`: the agent is to register for it) and `workers` "
                    "(each with `id`, `service`, `path`, `arguments`, `slots`, `user`, "
                    "`directory`, `environment`, `limits`, `output`, `argv`, "
                    "`start_timeout_ms`, `stop_timeout_ms`, `drain_timeout_ms`).",
                .help_usage = "agent config host",
                .help_text = "what an agent of this host needs to know",
                .run = run::agent_config},
        Command{.words = "agent watch",
                .parameters = host_parameter,
                .options = watch_options,
                .group = agents_chapter,
                .summary = "Makes this connection the one that orders to the host's agent come by.",
                .details =
                    "Answered by OK; each order is an array then: `order start ID JSON` · "
                    "`order drain ID drain_ms=N stop_ms=N` · `order kill ID` · `order config` "
                    "(read `agent config` again) · `order end` (end all workers, then end). "
                    "One agent per host: a second one is refused.",
                .help_usage = "agent watch host",
                .help_text = "waits for orders to start and end workers",
                .place = Place::session},
        Command{.words = "agent claim",
                .parameters = claim_parameters,
                .group = agents_chapter,
                .summary =
                    "Says which worker to start after an attach notification: its id and its "
                    "definition as JSON.",
                .help_usage = "agent claim host service",
                .help_text = "which worker to start after a notification",
                .run = run::agent_claim},
        Command{.words = "agent report",
                .parameters = report_parameters,
                .options = report_options,
                .group = agents_chapter,
                .summary = "Says that a worker's process was started, or how it ended.",
                .details =
                    "`agent report HOST started ID PID`; `agent report HOST ended ID "
                    "holders=gone|unknown exit=N|signal=N TEXT…`, where the text is the step "
                    "reached and the last lines of its standard error.",
                .help_usage = "agent report host started id pid",
                .help_text = "a worker's process was started (or: ended)",
                .run = run::agent_report},

        // ---- Attach servers
        Command{.words = "register",
                .parameters = aci_parameter,
                .group = attach_chapter,
                .summary = "Says that this connection can start servers of a service.",
                .details =
                    "Fields: `SERVICE`, with it `SERVER-CLASS` and `SERVER-NAME` for a name of "
                    "three parts, and `OPTION=ATTACH`. No wildcards (00130100).",
                .example = "REGISTER SERVICE=thumbs,OPTION=ATTACH",
                .help_usage = "REGISTER fields",
                .help_text = "registers an attach server (OPTION=ATTACH)",
                .place = Place::session},
        Command{
            .words = "receive",
            .parameters = aci_parameter,
            .group = attach_chapter,
            .summary = "Waits until a server is wanted.",
            .details = "`WAIT` is `NO` (the default), `YES`, or a time: `30S`, `10M`, `1H`, a bare "
                       "number of seconds. Answered by 00100022 with the names, RETURN-LENGTH=116 "
                       "and the block, or by 00740074 when nothing came. A `RECEIVE-LENGTH` below "
                       "116 gives 00200094; the notification is kept for the next RECEIVE.",
            .example = "RECEIVE SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*,WAIT=10M,RECEIVE-LENGTH=150",
            .help_usage = "RECEIVE fields",
            .help_text = "waits until a server is wanted",
            .place = Place::session},
        Command{.words = "deregister",
                .parameters = aci_parameter,
                .group = attach_chapter,
                .summary = "Takes registrations back; each name may be `*`.",
                .help_usage = "DEREGISTER fields",
                .help_text = "takes registrations back",
                .place = Place::session},
        Command{.words = "logon",
                .parameters = aci_parameter,
                .group = attach_chapter,
                .summary = "Names the participant (USER-ID, TOKEN).",
                .help_usage = "LOGON fields",
                .help_text = "names the participant",
                .place = Place::session},
        Command{.words = "logoff",
                .parameters = aci_parameter,
                .group = attach_chapter,
                .summary = "Frees everything this connection has registered.",
                .help_usage = "LOGOFF",
                .help_text = "frees all registrations",
                .place = Place::session},
        Command{.words = "version",
                .parameters = aci_parameter,
                .group = attach_chapter,
                .summary = "Says which version this is.",
                .help_usage = "VERSION",
                .help_text = "says which version this is",
                .place = Place::session},

        // ---- The connection
        Command{.words = "hello",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "Chooses version 2 or 3 of the protocol, with AUTH and SETNAME.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "auth",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "Says the listener's token.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "ping",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "Answers PONG, or its argument.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "echo",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "Answers its argument.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "select",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "There is one database, 0.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "client",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "SETINFO, SETNAME, GETNAME, ID, as Redis clients say them.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "command",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "COMMAND, COMMAND COUNT, COMMAND DOCS, as Redis clients ask.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "config get",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "Answers what Redis clients ask for; nothing can be set by it.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "info",
                .parameters = rest_parameter,
                .group = connection_chapter,
                .summary = "A few lines as Redis clients read them.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "quit",
                .group = connection_chapter,
                .summary = "Closes the connection; never ends the daemon.",
                .help_usage = unlisted,
                .place = Place::session},
        Command{.words = "exit",
                .group = connection_chapter,
                .summary = "The same.",
                .help_usage = unlisted,
                .place = Place::session},
    };
}

}  // namespace

std::span<const Command> command_table() {
    static const auto table = make_table();
    return table;
}

}  // namespace baton::command
