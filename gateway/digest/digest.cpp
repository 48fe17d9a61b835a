#include "gateway/digest/digest.h"

#include <cstdlib>
#include <cstring>
#include <nmmintrin.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace sallyport {

namespace {

const unsigned char* octets(Bytes bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* octets(Sha256& digest)
{
    return reinterpret_cast<unsigned char*>(digest.data());
}

// OpenSSL's digests fail only when memory or the library itself is broken; evidence must not go on
// with a digest that was never computed.
void require(bool worked)
{
    if (!worked)
        std::abort();
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_in_hardware(Bytes bytes, std::uint32_t crc)
{
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t wide = crc;
    while (left >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
        at += 8;
        left -= 8;
    }
    auto narrow = static_cast<std::uint32_t>(wide);
    for (; left > 0; --left)
        narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(*at++));
    return narrow;
}

std::uint32_t crc32c_in_software(Bytes bytes, std::uint32_t crc)
{
    for (const std::byte byte : bytes) {
        crc ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ (0x82f63b78U & (0U - (crc & 1)));
    }
    return crc;
}

}  // namespace

Sha256 sha256(Bytes bytes)
{
    Sha256 digest;
    require(EVP_Digest(bytes.data(), bytes.size(), octets(digest), nullptr, EVP_sha256(),
                       nullptr) == 1);
    return digest;
}

Sha256 hmac_sha256(Bytes key, Bytes bytes)
{
    Sha256 digest;
    unsigned length = 0;
    // OpenSSL takes a null pointer for a mistake, an empty view may well be one.
    const unsigned char nothing = 0;
    require(HMAC(EVP_sha256(), key.empty() ? &nothing : octets(key), static_cast<int>(key.size()),
                 bytes.empty() ? &nothing : octets(bytes), bytes.size(), octets(digest),
                 &length) != nullptr);
    return digest;
}

Sha256 pbkdf2_sha256(std::string_view password, Bytes salt, int iterations)
{
    Sha256 key;
    require(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                              static_cast<int>(salt.size()), iterations, EVP_sha256(),
                              static_cast<int>(key.size()), octets(key)) == 1);
    return key;
}

void RunningSha256::Free::operator()(evp_md_ctx_st* state) const
{
    EVP_MD_CTX_free(state);
}

RunningSha256::RunningSha256() : state_(EVP_MD_CTX_new())
{
    require(state_ != nullptr && EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) == 1);
}

RunningSha256::RunningSha256(RunningSha256&&) noexcept = default;
RunningSha256& RunningSha256::operator=(RunningSha256&&) noexcept = default;
RunningSha256::~RunningSha256() = default;

void RunningSha256::add(Bytes bytes)
{
    require(EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 RunningSha256::finish()
{
    Sha256 digest;
    require(EVP_DigestFinal_ex(state_.get(), octets(digest), nullptr) == 1);
    return digest;
}

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed)
{
    static const bool hardware = __builtin_cpu_supports("sse4.2") != 0;
    return ~(hardware ? crc32c_in_hardware(bytes, ~seed) : crc32c_in_software(bytes, ~seed));
}

void fill_random(MutableBytes into)
{
    require(RAND_bytes(reinterpret_cast<unsigned char*>(into.data()),
                       static_cast<int>(into.size())) == 1);
}

std::string to_hex(Bytes bytes)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 0x0f];
    }
    return text;
}

std::string to_base64(Bytes bytes)
{
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets(bytes),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<std::string> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '+' || c == '/';
        const bool padding = c == '=' && i + 2 >= text.size() && text.back() == '=';
        if (!digit && !padding)
            return std::nullopt;
    }
    std::string bytes(text.size() / 4 * 3, '\0');
    if (text.empty())
        return bytes;
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
    if (length < 0)
        return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && text[text.size() - 1 - padding] == '=')
        ++padding;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    // The last digit has bits to spare; unless they are zero, two texts would mean the same bytes.
    if (to_base64(bytes_of(bytes)) != text)
        return std::nullopt;
    return bytes;
}

bool equal_in_constant_time(Bytes left, Bytes right)
{
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace sallyport
