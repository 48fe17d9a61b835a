// The local users of the configuration and how each may prove to be himself. Immutable.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/identity/proved_user.h"
#include "gateway/identity/scram_server.h"
#include "gateway/identity/scram_verifier.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

struct LocalUser {
    std::string name;
    std::vector<std::string> groups;
    std::optional<ScramVerifier> password;
    std::vector<Sha256> tokens;  // SHA-256 of each API token
    std::vector<std::string> ssh_keys;
    bool disabled = false;
};

class UserDirectory {
public:
    // decoy_key: kept in the state directory, so that decoys survive a restart.
    UserDirectory(std::vector<LocalUser> users, std::string decoy_key);

    // For any name: a user without a password and a name nobody has look alike to the client.
    ScramServer scram_for(std::string_view user, std::optional<std::string> channel_binding) const;

    // True for users that have tokens and no password: they are asked for a token in clear text,
    // which a protocol may do over TLS only.
    bool asks_for_token(std::string_view user) const;

    // Fault::unauthentic where the user has no such token.
    Result<ProvedUser> prove_by_token(std::string_view user, const Secret& token) const;

    // common_name: of a client certificate that the TLS layer has verified against the gateway's
    // own CA. Fault::unauthentic where it is not the user's name or there is no such user.
    Result<ProvedUser> prove_by_certificate(std::string_view user,
                                            std::string_view common_name) const;

    // False once the user is gone or disabled, or a group of the identity was taken away: sessions
    // of such an identity end.
    bool still_holds(const Identity& identity) const;

private:
    const LocalUser* find(std::string_view name) const;
    ScramVerifier decoy_for(std::string_view name) const;

    std::map<std::string, LocalUser, std::less<>> users_;
    std::string decoy_key_;
};

}  // namespace sallyport
