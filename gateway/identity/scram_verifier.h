// What is kept of a password: PostgreSQL's SCRAM verifier (RFC 5803 in PostgreSQL's spelling).

#pragma once

#include <string>
#include <string_view>

#include "gateway/digest/digest.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

struct ScramVerifier {
    int iterations = 0;
    std::string salt;  // raw bytes
    Sha256 stored_key{};
    Sha256 server_key{};
};

// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", base64. Refuses fewer than 4096 or
// more than 1,000,000 iterations and salts outside 8 to 64 bytes.
Result<ScramVerifier> parse_scram_verifier(std::string_view text);

std::string to_string(const ScramVerifier& verifier);

// With a fresh random salt. The password goes through SASLprep (RFC 4013) as far as PostgreSQL
// does: what cannot be prepared is used as it is.
ScramVerifier make_scram_verifier(const Secret& password, int iterations = 4096);

// For a name nobody has: the same verifier each time for the same name and key, so that the
// exchange does not tell which users exist. No password satisfies it.
ScramVerifier decoy_scram_verifier(std::string_view user, Bytes key);

}  // namespace sallyport
