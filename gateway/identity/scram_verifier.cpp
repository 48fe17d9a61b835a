#include "gateway/identity/scram_verifier.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "gateway/digest/saslprep.h"

namespace sallyport {

namespace {

constexpr std::string_view scheme = "SCRAM-SHA-256$";
constexpr int fewest_iterations = 4096;
constexpr int most_iterations = 1'000'000;
constexpr std::size_t shortest_salt = 8;
constexpr std::size_t longest_salt = 64;
constexpr std::size_t usual_salt = 16;

tl::unexpected<Error> wrong(std::string_view what)
{
    // Never the text itself: it would let a reader of the log guess passwords.
    return failure(Fault::malformed, "not a SCRAM verifier: " + std::string(what) +
                                         "; make one with: sallyport user hash-password");
}

std::optional<Sha256> key_of(std::string_view base64)
{
    const std::optional<std::string> octets = from_base64(base64);
    Sha256 key{};
    if (!octets.has_value() || octets->size() != key.size())
        return std::nullopt;
    std::memcpy(key.data(), octets->data(), key.size());
    return key;
}

// Up to the separator, which is taken off too; nothing where there is none.
std::optional<std::string_view> cut(std::string_view& text, char separator)
{
    const std::size_t at = text.find(separator);
    if (at == text.npos)
        return std::nullopt;
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at + 1);
    return part;
}

}  // namespace

Result<ScramVerifier> parse_scram_verifier(std::string_view text)
{
    if (!text.starts_with(scheme))
        return wrong("it does not begin with SCRAM-SHA-256$");
    text.remove_prefix(scheme.size());
    const auto iterations = cut(text, ':');
    const auto salt = cut(text, '$');
    const auto stored_key = cut(text, ':');
    if (!iterations.has_value() || !salt.has_value() || !stored_key.has_value())
        return wrong("it is not <iterations>:<salt>$<StoredKey>:<ServerKey>");

    ScramVerifier verifier;
    const char* end = iterations->data() + iterations->size();
    const auto [stop, fault] = std::from_chars(iterations->data(), end, verifier.iterations);
    if (fault != std::errc() || stop != end || verifier.iterations < fewest_iterations ||
        verifier.iterations > most_iterations)
        return wrong("the iterations are not between 4096 and 1000000");
    const std::optional<std::string> raw_salt = from_base64(*salt);
    if (!raw_salt.has_value() || raw_salt->size() < shortest_salt ||
        raw_salt->size() > longest_salt)
        return wrong("the salt is not 8 to 64 bytes in base64");
    verifier.salt = *raw_salt;
    const std::optional<Sha256> stored = key_of(*stored_key);
    const std::optional<Sha256> server = key_of(text);
    if (!stored.has_value() || !server.has_value())
        return wrong("a key is not 32 bytes in base64");
    verifier.stored_key = *stored;
    verifier.server_key = *server;
    return verifier;
}

std::string to_string(const ScramVerifier& verifier)
{
    return std::string(scheme) + std::to_string(verifier.iterations) + ":" +
           to_base64(bytes_of(verifier.salt)) + "$" + to_base64(verifier.stored_key) + ":" +
           to_base64(verifier.server_key);
}

ScramVerifier make_scram_verifier(const Secret& password, int iterations)
{
    std::array<std::byte, usual_salt> salt{};
    fill_random(salt);
    const Secret prepared = saslprep(password);
    const Sha256 salted = pbkdf2_sha256(prepared.reveal(), salt, iterations);

    ScramVerifier verifier;
    verifier.iterations = iterations;
    verifier.salt = text_of(salt);
    verifier.stored_key = sha256(hmac_sha256(salted, bytes_of("Client Key")));
    verifier.server_key = hmac_sha256(salted, bytes_of("Server Key"));
    return verifier;
}

ScramVerifier decoy_scram_verifier(std::string_view user, Bytes key)
{
    const auto derived = [&](std::string_view purpose) {
        return hmac_sha256(key, bytes_of(std::string(purpose) + std::string(user)));
    };
    ScramVerifier verifier;
    verifier.iterations = fewest_iterations;
    verifier.salt = text_of(Bytes(derived("salt:")).first(usual_salt));
    verifier.stored_key = derived("stored:");
    verifier.server_key = derived("server:");
    return verifier;
}

}  // namespace sallyport
