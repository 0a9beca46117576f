/* libbaton: the worker's side of Baton, in C.
 *
 * A worker receives a connected stream socket whose request is still unread, answers on it, and
 * says when it can take more:
 *
 *     baton_worker_t *worker;
 *     baton_request_t *request;
 *     int code;
 *
 *     if (baton_worker_connect(NULL, &worker) != BATON_OK) die(baton_error_text());
 *     while ((code = baton_worker_accept(worker, -1, &request)) == BATON_OK) {
 *         baton_respond(request, 200, "text/plain", "hello\n", 6);
 *         baton_done(request);
 *         baton_request_free(request);
 *     }
 *     baton_worker_free(worker);
 *
 * Conventions:
 *
 * Handles: baton_worker_t and baton_request_t are opaque. What a function gives you, you free with
 * the function named in its description; freeing NULL does nothing. A request may outlive the
 * handle of its worker.
 *
 * Results: functions that can fail return a baton_code: BATON_OK (0), or a negative number. Those
 * that return a count give the count, or a negative baton_code. baton_error_text() says, for
 * people, what went wrong in this thread's last call that failed. errno means nothing after a call.
 *
 * Texts: those that go in end in a zero byte. Those of a request come out as baton_string_t: a
 * place and a size, without a zero byte behind it, valid until the request is freed. No NULL goes
 * in where it is not said that it may.
 *
 * Numbers: sizes are bytes, times are milliseconds.
 *
 * Threads: one thread at a time accepts. Each request belongs to one thread at a time, whichever;
 * different requests may be worked on, and ended, by different threads at once. Whatever else is
 * safe from any thread says so.
 *
 * Signals: the library installs no handler and starts no thread. Nothing raises SIGPIPE.
 *
 * Forks: connect after a fork, not before. Handles that a child inherited answer BATON_E_FORKED,
 * and freeing them there closes its descriptors without a word to batond. All descriptors are
 * close-on-exec.
 *
 * Sockets: a client's socket is not blocking, and is shared with batond: leave O_NONBLOCK as it is.
 *
 * Versions: BATON_VERSION_NUMBER is the header's, baton_version_number() the library's. Within one
 * number of the shared library (libbaton.so.0) functions are added, not changed; structures begin
 * with their size, so that they can grow.
 *
 * docs/reference/c-api.md tells it as a story; docs/reference/worker-contract.md is the wire format
 * beneath, for those who would rather write their own library.
 */
#ifndef BATON_BATON_H
#define BATON_BATON_H

#include <stddef.h>
#include <stdint.h>

#define BATON_VERSION_MAJOR 0
#define BATON_VERSION_MINOR 1
#define BATON_VERSION_PATCH 0
#define BATON_VERSION_NUMBER \
    (BATON_VERSION_MAJOR * 10000 + BATON_VERSION_MINOR * 100 + BATON_VERSION_PATCH)

/* With `argv=isectd` a worker's own parameters begin at argv[ISDARGMAZ]; before them stand the
 * rendezvous: argv[1] the socket's path, argv[2] the worker's id, argv[3] the service. */
#define ISDARGMAZ 4

#if defined(__GNUC__)
#define BATON_API __attribute__((visibility("default")))
#else
#define BATON_API
#endif

#ifdef __cplusplus
#define BATON_NOEXCEPT noexcept
extern "C" {
#else
#define BATON_NOEXCEPT
#endif

typedef struct baton_worker baton_worker_t;
typedef struct baton_request baton_request_t;

/* What went wrong, and what to do about it. */
typedef enum baton_code {
    BATON_OK = 0,
    BATON_E_AGAIN = -1,        /* nothing yet: wait for the descriptor, then call again */
    BATON_E_TIMEOUT = -2,      /* the client stood still for too long: give the request up */
    BATON_E_CLIENT_GONE = -3,  /* the client closed or reset: there is nobody to answer */
    BATON_E_MALFORMED = -4,    /* the client sent a body that cannot be read: answer 400, end */
    BATON_E_TOO_LARGE = -5,    /* more than the limit, or than the buffer holds */
    BATON_E_NOT_FOUND = -6,    /* no such parameter */
    BATON_E_DRAINED = -7,      /* no request will come any more: end what is in hand, then leave */
    BATON_E_GONE = -8,         /* batond has been away for longer than it said: leave */
    BATON_E_REFUSED = -9,      /* batond does not want this worker; the text says why */
    BATON_E_FORKED = -10,      /* the handle is the parent's: connect anew */
    BATON_E_INTERRUPTED = -11, /* a signal's handler ran: look what it wanted, then call again */
    BATON_E_INVALID = -12,     /* an argument, or a setting in the environment, makes no sense */
    BATON_E_STATE = -13,       /* not now: out of the order that the functions' descriptions give */
    BATON_E_LIMIT = -14,       /* out of descriptors or memory */
    BATON_E_PROTOCOL = -15,    /* batond speaks otherwise than documented: check the versions */
    BATON_E_SYSTEM = -16       /* a system call failed; the text says which and why */
} baton_code;

/* A piece of a request. No zero byte stands behind it: printf("%.*s", (int)s.size, s.data). */
typedef struct baton_string {
    const char* data; /* NULL: not there; a piece that is there may still be empty */
    size_t size;
} baton_string_t;

/* "0.1.0", and as a number for comparison with BATON_VERSION_NUMBER. Any thread. */
BATON_API const char* baton_version(void) BATON_NOEXCEPT;
BATON_API unsigned baton_version_number(void) BATON_NOEXCEPT;

/* What a code means in general: a constant text. Any thread. */
BATON_API const char* baton_code_text(int code) BATON_NOEXCEPT;

/* What went wrong in this thread's last call that failed. Valid until its next call that fails. */
BATON_API const char* baton_error_text(void) BATON_NOEXCEPT;

/* ------------------------------------------------------------------------------------------------
 * The worker
 * --------------------------------------------------------------------------------------------- */

typedef struct baton_worker_options {
    size_t size; /* sizeof(baton_worker_options_t); all else may be zero */

    /* Path of batond's socket for workers. NULL: the environment's BATON_WORKER_SOCKET. */
    const char* socket_path;
    /* The service whose requests are wanted. NULL: the environment's BATON_SERVICE. */
    const char* service;
    /* The id under which an agent started this process. 0: the environment's BATON_WORKER_ID, or,
     * when socket_path or service is given here, none: the worker registers by itself. */
    uint64_t worker_id;
    /* Requests that may be in hand at once. 0: the environment's BATON_SLOTS, or 1. At most
     * BATON_SLOTS_LIMIT. */
    uint32_t slots;
    /* How long a request's functions wait while the client does nothing, until BATON_E_TIMEOUT.
     * 0: 30 seconds. BATON_NO_WAIT: they never wait and answer BATON_E_AGAIN instead. */
    int32_t request_timeout_ms;
    /* How long to try when batond does not answer at once. 0: ten seconds for a worker that has an
     * id, since batond may just be starting again; otherwise one try. */
    int32_t connect_timeout_ms;

    /* Called within baton_worker_accept(), on its thread, with `context`. Both may be NULL. */
    void* context;
    /* An operator asks the worker to read its configuration again. */
    void (*on_reinit)(void* context);
    /* An operator asks how the worker is. Write at most `size` bytes of text (no zero byte needed)
     * and return how many. */
    size_t (*on_status)(void* context, char* text, size_t size);

    /* Bytes of one answer that are kept in memory for a client that is slow: see
     * baton_respond_put_aside(). 0: 64 MiB. BATON_NO_REST: none, everything waits for the client.
     */
    int64_t rest_limit;
} baton_worker_options_t;

#define BATON_SLOTS_LIMIT 65536
#define BATON_NO_WAIT (-1)
#define BATON_NO_REST (-1)

/* Connects to batond and introduces the worker. From then on it may be given requests.
 *
 * options   NULL: all from the environment, as the agent that starts workers sets it
 * worker    the new handle; free it with baton_worker_free()
 * Errors: BATON_E_INVALID (no socket or service was told), BATON_E_REFUSED (no such service, wrong
 * id, no common version), BATON_E_SYSTEM (nobody answers at the socket), BATON_E_LIMIT. */
BATON_API int baton_worker_connect(const baton_worker_options_t* options,
                                   baton_worker_t** worker) BATON_NOEXCEPT;

/* The same for a program that was started with `argv=isectd`: socket, id and service stand in
 * argv[1] to argv[3] (see ISDARGMAZ). What `options` say goes before. BATON_E_INVALID: they are not
 * there. */
BATON_API int baton_worker_connect_arguments(int argc, char* const* argv,
                                             const baton_worker_options_t* options,
                                             baton_worker_t** worker) BATON_NOEXCEPT;

/* A descriptor that is readable when baton_worker_accept() has something to do: for poll, epoll and
 * the like. It stays the same for the life of the handle, across reconnects. Do not read from it.
 */
BATON_API int baton_worker_fd(const baton_worker_t* worker) BATON_NOEXCEPT;

/* The id under which batond lists this worker. */
BATON_API uint64_t baton_worker_id(const baton_worker_t* worker) BATON_NOEXCEPT;

/* The next request, its head read and parsed.
 *
 * Also does what else there is to do on the link: reconnects after batond was restarted, calls
 * on_reinit and on_status. So call it again and again, even with all slots taken.
 *
 * timeout_ms  -1: wait; 0: do not wait
 * request     the new handle; free it with baton_request_free(). NULL when there is none.
 * Errors: BATON_E_AGAIN (none came in time), BATON_E_INTERRUPTED, BATON_E_DRAINED and BATON_E_GONE
 * (leave; requests in hand can and should be finished first), BATON_E_REFUSED (batond was restarted
 * and does not want this worker), BATON_E_PROTOCOL. After those but the first two it returns the
 * same at once for ever.
 * Thread-safety: one thread at a time. */
BATON_API int baton_worker_accept(baton_worker_t* worker, int timeout_ms,
                                  baton_request_t** request) BATON_NOEXCEPT;

/* The same, with the request's head still unread in its socket: for those who pass the descriptor
 * on to code that wants to read everything itself. Only baton_request_fd(), _id(), _client_id(),
 * _attempt(), _bridged(), _client_address(), _bytes_beside() know something of such a request until
 * baton_request_read_head() is called; end it with baton_done_as() otherwise. */
BATON_API int baton_worker_accept_unread(baton_worker_t* worker, int timeout_ms,
                                         baton_request_t** request) BATON_NOEXCEPT;

/* Gives back `count` slots that baton_decline() or baton_release() left taken. Any thread.
 * BATON_E_STATE: fewer are taken that way. */
BATON_API int baton_credit(baton_worker_t* worker, uint32_t count) BATON_NOEXCEPT;

/* Announces that this worker leaves of its own accord: it gets no more requests, and its end is not
 * taken for a crash. baton_worker_accept() returns BATON_E_DRAINED from now on, in a thread that
 * waits in it, too. Any thread, but not from a signal's handler. */
BATON_API int baton_bye(baton_worker_t* worker) BATON_NOEXCEPT;

/* Leaves (as baton_bye()) and frees the handle. Requests in hand may still be finished. */
BATON_API void baton_worker_free(baton_worker_t* worker) BATON_NOEXCEPT;

/* ------------------------------------------------------------------------------------------------
 * The request
 * --------------------------------------------------------------------------------------------- */

/* Reads and parses the head of a request that came unread. Once it has been called the request
 * cannot be declined any more. Errors: those of reading; BATON_E_MALFORMED: answer with
 * baton_done_as() and close. */
BATON_API int baton_request_read_head(baton_request_t* request) BATON_NOEXCEPT;

/* The client's socket, or one end of a stream that Baton carries (baton_request_bridged()): yours
 * until the request ends, not yours to close. -1 afterwards.
 *
 * In an epoll of your own, remove it before the request ends: batond holds the same connection, so
 * its registration would outlive the descriptor and report the next request's bytes. */
BATON_API int baton_request_fd(const baton_request_t* request) BATON_NOEXCEPT;

/* As in batond's access log. Requests that come under a lease have the id of the one that it began
 * with. */
BATON_API uint64_t baton_request_id(const baton_request_t* request) BATON_NOEXCEPT;
/* The same for all requests of one connection. */
BATON_API uint64_t baton_request_client_id(const baton_request_t* request) BATON_NOEXCEPT;
/* 0 at the first try; n: n workers had taken it and died. */
BATON_API unsigned baton_request_attempt(const baton_request_t* request) BATON_NOEXCEPT;
/* 1: Baton carries the stream, since it could not pass the client's own socket. Else 0. */
BATON_API int baton_request_bridged(const baton_request_t* request) BATON_NOEXCEPT;
/* 1: batond would send what a slow client has not taken of the answer (baton_respond_put_aside(),
 * baton_outcome_t.rest_bytes). 0: not this time, since it holds enough of that already. */
BATON_API int baton_request_rest_welcome(const baton_request_t* request) BATON_NOEXCEPT;
/* "203.0.113.9:4711", "[2001:db8::1]:80", or "unix:". */
BATON_API baton_string_t baton_request_client_address(const baton_request_t* request)
    BATON_NOEXCEPT;
/* What an earlier worker had read of this request: it precedes what is in the socket. Usually
 * empty. The library's own functions read it first; only who reads from the descriptor needs this.
 */
BATON_API baton_string_t baton_request_bytes_beside(const baton_request_t* request) BATON_NOEXCEPT;

/* "GET". */
BATON_API baton_string_t baton_request_method(const baton_request_t* request) BATON_NOEXCEPT;
/* As it stands in the request line: "/thumbs/a%20b.png?size=64". */
BATON_API baton_string_t baton_request_target(const baton_request_t* request) BATON_NOEXCEPT;
/* "/thumbs/a%20b.png": not decoded, for decoding what is meant as one name could make two of it;
 * see baton_percent_decode(). */
BATON_API baton_string_t baton_request_path(const baton_request_t* request) BATON_NOEXCEPT;
/* "size=64": without the '?', not decoded. Empty when there is none. */
BATON_API baton_string_t baton_request_query(const baton_request_t* request) BATON_NOEXCEPT;
/* x of HTTP/1.x. */
BATON_API int baton_request_minor_version(const baton_request_t* request) BATON_NOEXCEPT;
/* The value of the first field of this name, in whatever case. data is NULL when there is none. */
BATON_API baton_string_t baton_request_header(const baton_request_t* request,
                                              const char* name) BATON_NOEXCEPT;
/* All fields in their order: 0 <= index < baton_request_header_count(). BATON_E_NOT_FOUND. */
BATON_API size_t baton_request_header_count(const baton_request_t* request) BATON_NOEXCEPT;
BATON_API int baton_request_header_at(const baton_request_t* request, size_t index,
                                      baton_string_t* name, baton_string_t* value) BATON_NOEXCEPT;
/* The whole head, byte for byte. */
BATON_API baton_string_t baton_request_head(const baton_request_t* request) BATON_NOEXCEPT;

/* Decodes the value of the query's first parameter of this name, '+' as a blank.
 *
 * buffer  gets the value with a zero byte behind it
 * size    of the buffer, at least 1
 * Returns the value's size without the zero byte; BATON_E_NOT_FOUND; BATON_E_TOO_LARGE (nothing but
 * a zero byte was written). A '%' without two hex digits cannot be in a query that reached a
 * worker. */
BATON_API ptrdiff_t baton_request_parameter(const baton_request_t* request, const char* name,
                                            char* buffer, size_t size) BATON_NOEXCEPT;

/* Decodes %41 to A, in a path for instance; '+' stays. As baton_request_parameter() otherwise;
 * BATON_E_INVALID: a '%' without two hex digits. Any thread. */
BATON_API ptrdiff_t baton_percent_decode(const char* text, size_t text_size, char* buffer,
                                         size_t size) BATON_NOEXCEPT;

/* How long this request's functions wait while the client does nothing: see
 * baton_worker_options_t.request_timeout_ms. Here 0 is BATON_NO_WAIT, too. */
BATON_API void baton_request_set_timeout(baton_request_t* request, int timeout_ms) BATON_NOEXCEPT;

/* 1: the client has closed or reset its connection, nobody waits for the answer. A client that
 * merely ended its own direction counts as gone, too. 0: not yet. */
BATON_API int baton_client_gone(const baton_request_t* request) BATON_NOEXCEPT;

/* Bytes of the body: its Content-Length, 0 when there is none, -1 when only its end will tell. */
BATON_API int64_t baton_request_content_length(const baton_request_t* request) BATON_NOEXCEPT;

/* Reads up to `size` bytes of the body, whatever its framing, and never a byte of the next request.
 * Sends `100 Continue` first when the client waits for it.
 *
 * Returns how many; 0: the body is complete. Errors: BATON_E_AGAIN (only with BATON_NO_WAIT: read
 * until it comes, then wait for the descriptor), BATON_E_TIMEOUT, BATON_E_CLIENT_GONE (in the
 * middle of the body), BATON_E_MALFORMED. */
BATON_API ptrdiff_t baton_request_read(baton_request_t* request, void* buffer,
                                       size_t size) BATON_NOEXCEPT;

/* Reads the rest of the body and forgets it, so that the connection can be kept.
 * BATON_E_TOO_LARGE: there is more than `limit`; the connection will be closed after the answer.
 * Other errors as above. */
BATON_API int baton_request_discard_body(baton_request_t* request, uint64_t limit) BATON_NOEXCEPT;

/* ------------------------------------------------------------------------------------------------
 * The answer
 *
 * Either baton_respond() or baton_respond_file(), or baton_respond_begin(), any number of
 * baton_respond_write(), and baton_respond_end(). Before either, baton_respond_header() adds
 * fields.
 *
 * Date, Content-Length, Transfer-Encoding and Connection are the library's business. Answers to
 * HEAD and those with status 204 or 304 are sent without their bodies, whatever is given. When a
 * request's body was not read, what has arrived of it is discarded, or else the connection closes.
 *
 * A slow client does not hold these functions up. When the socket is full and the client takes less
 * than 16 MB/s (2 ms are waited for one that takes nothing), what it has not taken is put aside,
 * the function returns BATON_OK, and baton_done() hands it back to batond, which sends it when this
 * worker has long been free:
 *
 * - of baton_respond() and baton_respond_write() a copy is put aside, up to the worker's
 * rest_limit; beyond it the functions wait. What is written later goes there too, as long as
 * something is there. Before a long pause in a stream call baton_respond_flush(): nothing moves by
 * itself.
 * - of baton_respond_file() it is the file itself. It must stay as it is until the client has it,
 * so replace files by renaming, do not write into them; a file that gets shorter is a reset for the
 *   client. (A file on a network's file system is copied, like memory.)
 * - when batond holds too much of that kind already (baton_request_rest_welcome()), they wait.
 *
 * With BATON_NO_WAIT a function that could not send everything returns BATON_E_AGAIN: it has taken
 * what it was given, but the memory stays in use. Wait until baton_request_fd() is writable, call
 * baton_respond_flush() until that returns BATON_OK, and go on then; or call
 * baton_respond_put_aside(), which needs no waiting: nothing is put aside by itself then.
 *
 * After BATON_E_CLIENT_GONE or BATON_E_TIMEOUT there is nothing to send any more: end the request.
 * --------------------------------------------------------------------------------------------- */

/* Adds a field to the head that is about to be sent. BATON_E_INVALID: a name that is not one,
 * control characters in the value, or a field that is the library's business; BATON_E_STATE: too
 * late. */
BATON_API int baton_respond_header(baton_request_t* request, const char* name,
                                   const char* value) BATON_NOEXCEPT;

/* Makes the connection end with this request: says `Connection: close`. BATON_E_STATE: too late. */
BATON_API int baton_respond_close(baton_request_t* request) BATON_NOEXCEPT;

/* Sends a complete answer, in one system call when the socket takes it.
 *
 * status        200 to 999
 * content_type  NULL: none
 * body          NULL when size is 0 */
BATON_API int baton_respond(baton_request_t* request, int status, const char* content_type,
                            const void* body, size_t size) BATON_NOEXCEPT;

/* Sends a complete answer whose body is `size` bytes of a file from `offset` on. The descriptor is
 * borrowed until the call, or the flush after BATON_E_AGAIN, returns something else; the file must
 * not change before the client has it (see above). BATON_E_SYSTEM: it could not be read, or is
 * shorter. */
BATON_API int baton_respond_file(baton_request_t* request, int status, const char* content_type,
                                 int file, uint64_t offset, uint64_t size) BATON_NOEXCEPT;

#define BATON_UNKNOWN_LENGTH (-1)

/* Begins an answer whose body follows in pieces. Nothing is sent before the first of them.
 *
 * content_length  of the whole body; BATON_UNKNOWN_LENGTH: chunked, or, for HTTP/1.0, up to the
 *                 connection's end */
BATON_API int baton_respond_begin(baton_request_t* request, int status, const char* content_type,
                                  int64_t content_length) BATON_NOEXCEPT;
/* BATON_E_TOO_LARGE: more than content_length. */
BATON_API int baton_respond_write(baton_request_t* request, const void* data,
                                  size_t size) BATON_NOEXCEPT;
/* BATON_E_STATE: less than content_length; the connection will be closed. */
BATON_API int baton_respond_end(baton_request_t* request) BATON_NOEXCEPT;

/* Sends what BATON_E_AGAIN left unsent, and what was put aside. BATON_E_AGAIN: there is still
 * something. */
BATON_API int baton_respond_flush(baton_request_t* request) BATON_NOEXCEPT;

/* After BATON_E_AGAIN: puts aside what is unsent, in place of waiting for the client. The memory
 * that was given is free again, more may be written (it goes there too), and baton_done() hands
 * everything back to batond, which sends it while this worker's slot is free. Give the client a
 * moment before: what it would have taken in some milliseconds costs more to copy and to pass on.
 *
 * BATON_E_AGAIN: batond takes nothing back of this answer (baton_request_rest_welcome()), or it is
 * more than the worker's rest_limit: go on with baton_respond_flush(). */
BATON_API int baton_respond_put_aside(baton_request_t* request) BATON_NOEXCEPT;

/* Sends `101 Switching Protocols` with `Upgrade: protocol`: what the client offered, or part of it.
 * Then take the connection with baton_release(). BATON_E_STATE: the client has not offered it. */
BATON_API int baton_respond_upgrade(baton_request_t* request, const char* protocol) BATON_NOEXCEPT;

/* ------------------------------------------------------------------------------------------------
 * The end of a request
 *
 * One of baton_done(), baton_done_as(), baton_decline(), baton_release(), then
 * baton_request_free(). After the first, what the request knows can still be asked, but nothing be
 * read or written.
 * --------------------------------------------------------------------------------------------- */

/* The answer is written: gives connection and slot back in one message.
 *
 * "Written" means: taken by the socket, or put aside. A slow client costs no slot. The connection
 * is kept for the client's next request if the request was read completely, the answer is complete
 * and says by itself where it ends, and the client wants it kept; otherwise batond closes it
 * properly. When nothing was answered, the client gets a 500. BATON_E_AGAIN: baton_respond_flush()
 * has work to do first, or baton_respond_put_aside(); the request has not ended. */
BATON_API int baton_done(baton_request_t* request) BATON_NOEXCEPT;

enum {
    BATON_KEEP = 0,  /* the whole request was read, the answer complete: the next one may come */
    BATON_CLOSE = 1, /* batond ends the connection; the worker does not shut it down */
};

typedef struct baton_outcome {
    size_t size;            /* sizeof(baton_outcome_t) */
    int32_t disposition;    /* BATON_KEEP or BATON_CLOSE */
    int32_t status;         /* of the answer; 0: none */
    uint64_t bytes_read;    /* of the request: bytes beside, head, and body with its framing */
    uint64_t bytes_written; /* of the answer, into the socket */

    /* Where baton_request_rest_welcome(): what the socket has not taken of the answer, as a piece
     * of a file that batond sends. The file is borrowed for the call; it must not change before the
     * client has it. Best is a sealed memfd. */
    uint64_t rest_offset;
    uint64_t rest_bytes; /* 0: there is no rest */
    int32_t rest_file;
} baton_outcome_t;

/* The same for who has read and written on the descriptor without the library. batond checks
 * BATON_KEEP against bytes_read and closes the connection if they do not agree. With a rest also:
 * BATON_E_STATE (it is not welcome), BATON_E_INVALID (not within a regular file of this host),
 * BATON_E_GONE (batond is gone: send it yourself); the request has not ended then. */
BATON_API int baton_done_as(baton_request_t* request,
                            const baton_outcome_t* outcome) BATON_NOEXCEPT;

enum {
    BATON_DECLINE_UNSAID = 0,
    BATON_DECLINE_OVERLOADED = 2,
    BATON_DECLINE_DRAINING = 3,
};

/* Gives a request back untouched, for another worker. BATON_E_STATE: its head was read; so it must
 * have come from baton_worker_accept_unread(). The slot stays taken until baton_credit(): the
 * worker says itself when it can take more. */
BATON_API int baton_decline(baton_request_t* request, int reason) BATON_NOEXCEPT;

/* The connection is this worker's alone from now on (after an upgrade): Baton forgets it.
 *
 * keep_slot  1: the connection goes on taking its slot, until baton_credit(); 0: the slot is free
 * fd         the connection; yours to close */
BATON_API int baton_release(baton_request_t* request, int keep_slot, int* fd) BATON_NOEXCEPT;

/* Frees the handle. A request that was not ended is ended first, its connection closed; when
 * nothing was answered, the client gets a 500. */
BATON_API void baton_request_free(baton_request_t* request) BATON_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
