// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), as a PostgreSQL
// client speaks it: the user name stays empty, the startup packet has it. Messages in, messages
// out; no socket, no waiting.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/digest/digest.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport::postgres {

// Work a server may ask of us before it has proved anything.
inline constexpr int scram_iteration_limit = 100000;

// 24 printable characters from 18 random bytes.
std::string random_scram_nonce();

class ScramClient {
public:
    // What the server's certificate allows: channel_binding is tls-server-end-point data (RFC 5929)
    // where the connection is TLS; server_offers_plus says whether -PLUS was among its mechanisms.
    // The password outlives the exchange.
    ScramClient(const Secret& password, std::optional<std::string> channel_binding,
                bool server_offers_plus, std::string nonce = random_scram_nonce());

    std::string_view mechanism() const;

    // client-first-message.
    std::string first();

    // server-first-message in, client-final-message out. Fault::malformed for what RFC 5802 does
    // not allow, a nonce that does not continue ours, more than scram_iteration_limit iterations.
    Result<std::string> final(std::string_view server_first);

    // server-final-message. Fault::unauthentic where the server does not know the password either.
    // Only after this succeeded is the server who it says.
    Result<void> verify(std::string_view server_final);

private:
    const Secret& password_;
    std::optional<std::string> channel_binding_;
    bool plus_;
    std::string nonce_;
    std::string gs2_header_;
    std::string client_first_bare_;
    Sha256 server_signature_{};
    bool answered_ = false;
};

}  // namespace sallyport::postgres
