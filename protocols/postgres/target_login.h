// The client's part of a login: to a target, with the gateway's own credential.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/edge/stream.h"
#include "gateway/targets/target.h"

namespace sallyport::postgres {

// The key that cancels a session on its target.
struct CancelKey {
    std::uint32_t process = 0;
    std::string secret;
};

struct TargetSession {
    Stream stream;
    std::map<std::string, std::string>
        parameters;  // ParameterStatus, as reported up to the first ReadyForQuery
    CancelKey key;
    std::string unread;        // bytes that came behind ReadyForQuery
    bool replication = false;  // a walsender, which reads replication commands beside SQL
};

// Connects, speaks TLS as the target's configuration says, logs in (SCRAM-SHA-256(-PLUS); md5 and
// cleartext only where weak_authentication names them; never a password without being asked for
// exactly that), reads up to ReadyForQuery. Error::detail is fit for the client: it names the
// connection's target by host and port and the target's own error, never a credential. Bounds: the
// deadline, 1,000 messages, 1 MiB, 100,000 SCRAM iterations.
// startup: parameters to send beside user, database and client_encoding=UTF8,
// standard_conforming_strings=on, which are always sent.
boost::asio::awaitable<Result<TargetSession>> log_in_to_target(
    const Target& target, const std::map<std::string, std::string>& startup,
    std::chrono::milliseconds deadline);

// Sends a CancelRequest on a connection of its own, over TLS where the target has it.
boost::asio::awaitable<Result<void>> cancel_on_target(const Target& target, const CancelKey& key,
                                                      std::chrono::milliseconds deadline);

}  // namespace sallyport::postgres
