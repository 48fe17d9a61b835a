// How a fallible function reports failure: a Result holds a value or an Error, never both.
//
// Exceptions are for what must not happen (a broken invariant, no memory) and end the session they
// strike; everything a peer, a network or an operator can cause is a Result.

#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sallyport {

// What the caller can do about it. A new Fault is added only when some caller acts differently on
// it.
enum class Fault {
    malformed,    // the peer broke its protocol: close the connection
    refused,      // a rule or a person said no: tell the client why, keep the session
    unauthentic,  // who the peer says it is was not proved: refuse, tell the client nothing more
    unavailable,  // a target, the store or an approver cannot be reached: refuse, may be retried
    unrecorded,   // evidence could not be kept: end the session before the next byte
    limit,        // a configured bound was met: refuse
    closed,       // the peer has gone, or the gateway is shutting down: nothing left to tell
};

struct Error {
    Fault fault;
    std::string detail;        // for people; never result data, never a secret
    std::string context = {};  // more for people: which rule, which session
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(Fault fault, std::string detail)
{
    return tl::unexpected<Error>(Error{fault, std::move(detail)});
}

}  // namespace sallyport

// Names the value of a Result, or leaves the coroutine with its Error:
//
//     CO_TRY(frame, co_await read_frame(client, buffer));
//
// A declaration rather than an expression, because a co_await inside a statement expression is not
// portable.
#define CO_TRY(name, ...)                                             \
    auto name##_result = (__VA_ARGS__);                               \
    if (!name##_result)                                               \
        co_return ::tl::unexpected(std::move(name##_result).error()); \
    auto& name = *name##_result

// The same for a Result<void>, or for a value that is not needed.
#define CO_TRY_DONE(...)                                                \
    do {                                                                \
        auto done_result = (__VA_ARGS__);                               \
        if (!done_result)                                               \
            co_return ::tl::unexpected(std::move(done_result).error()); \
    } while (false)

// CO_TRY for functions that are not coroutines.
#define TRY(name, ...)                                             \
    auto name##_result = (__VA_ARGS__);                            \
    if (!name##_result)                                            \
        return ::tl::unexpected(std::move(name##_result).error()); \
    auto& name = *name##_result

// The same for a Result<void>, or for a value that is not needed.
#define TRY_DONE(...)                                                \
    do {                                                             \
        auto done_result = (__VA_ARGS__);                            \
        if (!done_result)                                            \
            return ::tl::unexpected(std::move(done_result).error()); \
    } while (false)
