#pragma once

#include <stdexcept>
#include <string>

namespace baton::simulation {

/// The engine did something that it promises never to do.
class BrokenPromise : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline void promise(bool kept, const char* what) {
    if (!kept) throw BrokenPromise(what);
}

}  // namespace baton::simulation
