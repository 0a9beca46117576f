#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace baton::engine {

/// What becomes of the connection after a worker's `done`.
enum class Disposition : std::uint8_t { keep, close, released };

/// What a worker says of a finished request.
struct DoneReport {
    Disposition disposition = Disposition::close;
    std::uint16_t status = 0;      ///< HTTP status of the answer; 0 when the worker does not tell
    std::uint32_t credits = 0;     ///< new requests it can take from now on, in addition
    std::uint64_t bytes_read = 0;  ///< of the request: head and body
    std::uint64_t bytes_written = 0;  ///< of the answer
    bool kept_duplicate = false;      ///< the worker has the connection's descriptor still
    bool ended_lease = false;  ///< bytes and credits of a lease; leased() has told of its requests
    bool counted = false;      ///< by libbaton on the client's own socket: the bytes are right

    friend bool operator==(const DoneReport&, const DoneReport&) = default;
};

/// Give this request to this worker; report delivered() or delivery_failed(). Until then the engine
/// neither reassigns nor ends the request.
///
/// Meant is the link that registered with `process_id`. When the worker has another one by now (it
/// ended and was started again before this was performed), report delivery_failed(peer_gone): the
/// new process has announced no slot for this request, and nobody would watch over it there.
struct Deliver {
    RequestId request;
    WorkerId worker;
    Assignment assignment;
    std::uint32_t attempt = 0;  ///< 0 the first time; >0: bytes already consumed travel beside it
    std::uint32_t process_id = 0;  ///< 0: the worker registered without one
    /// The worker may keep the connection until RevokeLeases names a later epoch; 0: it may not.
    std::uint64_t lease_epoch = 0;
};

/// The request has come back (not delivered, declined, or to be redelivered) and waits again: watch
/// for the client's going away. Comes before anything else that names the request again.
struct Requeued {
    RequestId request;
};

/// Tell the client that nobody will take its request. It never reached a worker, or came back
/// untouched. The request is over for the engine.
struct Refuse {
    RequestId request;
    Errc reason;
};

/// The worker that had the request is gone: look what it has read and written, report recovered().
struct Recover {
    RequestId request;
    WorkerId worker;
    Assignment assignment;
    /// Whether it is certain that no process holds the connection any more. If not, nothing may be
    /// written to it or redelivered: it is shut down.
    bool holders_gone = false;
};

/// End the request with this reason: an error answer if no byte was sent and `holders_gone`, else
/// what is in the send queue and a reset. The request is over for the engine.
struct Fail {
    RequestId request;
    WorkerId worker;  ///< that had it last; none: no one had
    Assignment assignment;
    Errc reason;
    bool holders_gone = false;
};

/// The worker has finished: the connection is the front's again (or closed, or released). The
/// request is over for the engine.
struct GiveBack {
    RequestId request;
    WorkerId worker;
    Assignment assignment;
    DoneReport report;
    ClientId client{};
};

/// The worker's leases of earlier epochs are over: their connections come back by GiveBack, at once
/// if they are idle. Actions of several events may be performed in another order; the largest epoch
/// counts.
struct RevokeLeases {
    WorkerId worker;
    std::uint64_t epoch = 0;
};

/// The worker has kept a duplicate of a connection whose client has left: it is to close it.
struct ForgetDuplicate {
    ClientId client;
    WorkerId worker;
    Assignment assignment;
};

/// A waiting attach RECEIVE may be answered now: Service::attach_wanted() has become true.
struct AttachWanted {};

/// Order to the agent of the worker's host: start this worker (start, min, restart).
struct StartWorker {
    WorkerId worker;
};

/// Send `drain` on the worker's link, if there is one, and order its agent to see it end: SIGTERM
/// after drain_timeout (at once without a link), SIGKILL stop_timeout later.
struct DrainWorker {
    WorkerId worker;
};

/// Order the agent to kill the worker's whole process group and to confirm with worker_ended().
struct KillWorker {
    WorkerId worker;
};

/// A copy or a self-registered worker has vanished from the tables.
struct WorkerForgotten {
    WorkerId worker;
};

using Action =
    std::variant<Deliver, Requeued, Refuse, Recover, Fail, GiveBack, RevokeLeases, ForgetDuplicate,
                 AttachWanted, StartWorker, DrainWorker, KillWorker, WorkerForgotten>;

/// Appended to by the engine, visited by the caller after it has unlocked the service. Kept and
/// cleared by the caller, so that steady state allocates nothing.
using Actions = std::vector<Action>;

}  // namespace baton::engine
