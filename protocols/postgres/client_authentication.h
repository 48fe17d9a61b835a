// How a client proves who it is once its startup packet is read: certificate, token or SCRAM.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "gateway/edge/stream.h"
#include "gateway/session/gate.h"
#include "gateway/vocabulary/bytes.h"

namespace sallyport::postgres {

// Why a login ends: what the client is told, and what the record says.
struct LoginEnd {
    std::string message;  // a whole ErrorResponse; empty where the client hears nothing
    std::string reason;   // for auditors, the true one
    bool refused = true;  // false: the client left, which is no refusal
};

template <class T>
using Step = tl::expected<T, LoginEnd>;

// A FATAL error; reason is its message where none is given.
tl::unexpected<LoginEnd> fatal(std::string_view sqlstate, std::string_view message,
                               std::string_view detail = {}, std::string_view reason = {},
                               std::string_view hint = {});

// Closed without a word, as the server does with what is no client.
tl::unexpected<LoginEnd> silent(std::string_view reason);

// The client went away.
tl::unexpected<LoginEnd> left(std::string_view reason);

// Exactly as many bytes as there is room for: nothing that belongs to TLS or to the session is
// taken off the connection.
boost::asio::awaitable<Step<void>> read_exactly(Stream& client, MutableBytes into);

boost::asio::awaitable<Step<void>> send_all(Stream& client, std::string_view bytes);

// A wrong password, an unknown user and a user without a password look alike. Leaves
// AuthenticationOk unsent.
boost::asio::awaitable<Step<ProvedUser>> prove_client(Stream& client, Gate& gate,
                                                      const std::string& user);

}  // namespace sallyport::postgres
