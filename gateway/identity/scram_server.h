// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): messages in,
// messages out. No socket, no waiting.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/identity/proved_user.h"
#include "gateway/identity/scram_verifier.h"

namespace sallyport {

class ScramServer {
public:
    // channel_binding: tls-server-end-point data of our certificate (RFC 5929) where the client's
    // connection is TLS, else nothing: SCRAM-SHA-256-PLUS is then not offered and "y" is accepted.
    // identity: of the user, or nothing where there is no such user or no password: the exchange
    // then runs to its end against the decoy and fails like a wrong password. nonce: the server's
    // part, printable and without a comma; fresh for every exchange, fixed in tests only.
    ScramServer(ScramVerifier verifier, std::optional<Identity> identity,
                std::optional<std::string> channel_binding, std::string nonce = fresh_nonce());

    // The mechanism's name as the client chose it and client-first-message; gives
    // server-first-message. Fault::malformed for what RFC 5802 does not allow,
    // Fault::unauthentic for a downgrade ("y" although PLUS was offered).
    Result<std::string> first(std::string_view mechanism, std::string_view client_first);

    struct Finished {
        std::string server_final;
        ProvedUser user;
    };

    // client-final-message; Fault::unauthentic where the proof is wrong. Called once, after
    // first().
    Result<Finished> final(std::string_view client_final);

    // 18 random bytes in base64, as PostgreSQL makes them.
    static std::string fresh_nonce();

private:
    enum class Stage { before_first, before_final, over };

    ScramVerifier verifier_;
    std::optional<Identity> identity_;
    std::optional<std::string> channel_binding_;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
    Stage stage_ = Stage::before_first;
};

}  // namespace sallyport
