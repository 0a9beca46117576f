/* A worker in C: answers each request with what it asked, one at a time.
 *
 *     cc -o worker worker.c $(pkg-config --cflags --libs baton)
 *
 * and in Baton:
 *
 *     config service echo max=4
 *     config worker echo localhost /path/to/worker
 *     route /echo echo
 */
#include <baton/baton.h>
#include <stdio.h>

enum { body_limit = 65536 };

/* Reads the whole body: its size, or a negative code. */
static ptrdiff_t read_body(baton_request_t* request, char* body) {
    size_t size = 0;

    for (;;) {
        ptrdiff_t got;

        if (size == body_limit) return BATON_E_TOO_LARGE;
        got = baton_request_read(request, body + size, body_limit - size);
        if (got < 0) return got;
        if (got == 0) return (ptrdiff_t)size;
        size += (size_t)got;
    }
}

static void say(baton_request_t* request, int status, const char* text, int size) {
    baton_respond(request, status, "text/plain; charset=utf-8", text, (size_t)size);
}

static void answer(baton_request_t* request) {
    static char body[body_limit];
    const baton_string_t method = baton_request_method(request);
    const baton_string_t target = baton_request_target(request);
    const ptrdiff_t size = read_body(request, body);
    char line[4096];
    int line_size;

    switch (size) {
        case BATON_E_TOO_LARGE: say(request, 413, "too large\n", 10); return;
        case BATON_E_MALFORMED: say(request, 400, "malformed\n", 10); return;
        default:
            if (size < 0) return; /* the client is gone: nobody to answer */
    }

    /* The answer in two pieces, so that nothing has to be copied together. */
    line_size = snprintf(line, sizeof line, "%.*s %.*s\n", (int)method.size, method.data,
                         (int)target.size, target.data);
    if (line_size >= (int)sizeof line) line_size = sizeof line - 1;
    baton_respond_begin(request, 200, "text/plain; charset=utf-8", line_size + size);
    baton_respond_write(request, line, (size_t)line_size);
    baton_respond_write(request, body, (size_t)size);
    baton_respond_end(request);
}

int main(void) {
    baton_worker_t* worker;
    baton_request_t* request;
    int code;

    if (baton_worker_connect(NULL, &worker) != BATON_OK) {
        fprintf(stderr, "worker: %s\n", baton_error_text());
        return 1;
    }
    for (;;) {
        code = baton_worker_accept(worker, -1, &request);
        if (code == BATON_E_INTERRUPTED) continue;
        if (code != BATON_OK) break;
        answer(request);
        baton_done(request);
        baton_request_free(request);
    }
    if (code != BATON_E_DRAINED) fprintf(stderr, "worker: %s\n", baton_error_text());
    baton_worker_free(worker);
    return code == BATON_E_DRAINED ? 0 : 1;
}
