// The server's part of a login: from the first byte to the point where the client is known and
// waits for the target.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "gateway/edge/stream.h"
#include "gateway/session/gate.h"
#include "protocols/postgres/startup.h"

namespace sallyport::postgres {

struct LoggedIn {
    std::unique_ptr<Session> session;
    std::map<std::string, std::string> parameters;  // for the target, allowed ones only
    std::string application_name;
};

struct LoginSettings {
    std::shared_ptr<const ServerTls> tls;       // never null
    std::chrono::milliseconds deadline{30000};  // for the whole login
};

// Answers SSLRequest, GSSENCRequest and direct TLS (at most one of each), reads the startup packet,
// negotiates the version, authenticates and admits. A refused client has been sent its one error
// and the refusal is recorded when this completes with an Error, whose context names user and
// connection for the log, where the client has said them. A CancelRequest completes with it.
// AuthenticationOk has not been sent yet: the target comes first.
boost::asio::awaitable<Result<std::variant<LoggedIn, CancelRequest>>> log_in_client(
    Stream& client, Gate& gate, const LoginSettings& settings);

}  // namespace sallyport::postgres
