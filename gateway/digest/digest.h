// Hashes, keyed hashes, random bytes and their text forms, over OpenSSL.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/vocabulary/bytes.h"

struct evp_md_ctx_st;

namespace sallyport {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(Bytes bytes);
Sha256 hmac_sha256(Bytes key, Bytes bytes);

// PBKDF2 with HMAC-SHA-256 (RFC 8018), one block: SCRAM's Hi().
Sha256 pbkdf2_sha256(std::string_view password, Bytes salt, int iterations);

// SHA-256 of a stream, fed in pieces of any size.
class RunningSha256 {
public:
    RunningSha256();
    RunningSha256(RunningSha256&&) noexcept;
    RunningSha256& operator=(RunningSha256&&) noexcept;
    ~RunningSha256();

    void add(Bytes bytes);
    // Of everything added so far. Called once.
    Sha256 finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* state) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> state_;
};

// CRC-32C (Castagnoli), for torn writes and not against people.
std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

// From OpenSSL's generator. Ends the process where that fails: there is no safe substitute.
void fill_random(MutableBytes into);

std::string to_hex(Bytes bytes);
std::string to_base64(Bytes bytes);
// Strict: padding required, no white space, spare bits zero; nothing for anything else.
std::optional<std::string> from_base64(std::string_view text);

// Takes as long for any two inputs of one length.
bool equal_in_constant_time(Bytes left, Bytes right);

}  // namespace sallyport
