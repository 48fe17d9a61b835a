#include "gateway/identity/scram_server.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/vocabulary/bytes.h"

namespace sallyport {

namespace {

constexpr std::string_view plain_mechanism = "SCRAM-SHA-256";
constexpr std::string_view plus_mechanism = "SCRAM-SHA-256-PLUS";
constexpr std::string_view binding_name = "tls-server-end-point";

// PostgreSQL's own limit for a SASL message.
constexpr std::size_t longest_message = 1024;

constexpr std::size_t nonce_octets = 18;

tl::unexpected<Error> malformed(std::string_view what)
{
    return failure(Fault::malformed, "SCRAM: " + std::string(what));
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 5802's "printable": no comma, since that ends the attribute.
bool printable(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

// Reads "a=value" attributes off the front of a message, separated by single commas.
class Attributes final {
public:
    explicit Attributes(std::string_view message) : rest_(message) {}

    bool at_end() const { return at_end_; }

    // The next attribute, whatever it is.
    Result<std::pair<char, std::string_view>> next()
    {
        if (at_end_)
            return malformed("the message ends too early");
        if (rest_.size() < 2 || !is_letter(rest_[0]) || rest_[1] != '=')
            return malformed("an attribute is not of the form x=value");
        const char name = rest_[0];
        const std::size_t comma = rest_.find(',');
        const std::string_view value = rest_.substr(2, comma == rest_.npos ? comma : comma - 2);
        at_end_ = comma == rest_.npos;
        rest_ = at_end_ ? std::string_view() : rest_.substr(comma + 1);
        return std::pair(name, value);
    }

    Result<std::string_view> expect(char name)
    {
        TRY(found, next());
        if (found.first != name)
            return malformed("an attribute is missing or out of order");
        return found.second;
    }

private:
    std::string_view rest_;
    bool at_end_ = false;
};

bool acceptable(std::string_view message)
{
    return message.size() <= longest_message && message.find('\0') == message.npos;
}

}  // namespace

ScramServer::ScramServer(ScramVerifier verifier, std::optional<Identity> identity,
                         std::optional<std::string> channel_binding, std::string nonce)
    : verifier_(std::move(verifier)),
      identity_(std::move(identity)),
      channel_binding_(std::move(channel_binding)),
      nonce_(std::move(nonce))
{
}

std::string ScramServer::fresh_nonce()
{
    std::array<std::byte, nonce_octets> octets{};
    fill_random(octets);
    return to_base64(octets);
}

Result<std::string> ScramServer::first(std::string_view mechanism, std::string_view client_first)
{
    if (std::exchange(stage_, Stage::over) != Stage::before_first)
        return malformed("client-first-message came twice");
    if (!acceptable(client_first))
        return malformed("client-first-message is too long or holds a zero byte");
    const bool plus = mechanism == plus_mechanism;
    if (plus ? !channel_binding_.has_value() : mechanism != plain_mechanism)
        return malformed("the client chose a mechanism that was not offered");

    // gs2-header: "n,,", "y,," or "p=tls-server-end-point,,"; an authorization identity, which
    // would stand between the commas, is not supported, as in PostgreSQL.
    const std::size_t comma = client_first.find(',');
    if (comma == client_first.npos)
        return malformed("client-first-message has no gs2 header");
    const std::string_view flag = client_first.substr(0, comma);
    const bool binds = flag.starts_with("p=");
    if (binds && flag.substr(2) != binding_name)
        return malformed("the channel binding type is not tls-server-end-point");
    if (!binds && flag != "n" && flag != "y")
        return malformed("the channel binding flag is none of n, y and p=");
    if (binds != plus)
        return malformed("the mechanism and the channel binding flag disagree");
    if (flag == "y" && channel_binding_.has_value())
        return failure(Fault::unauthentic,
                       "SCRAM: the client thinks that channel binding was not offered, but it was: "
                       "somebody may have changed the offer on its way");
    if (client_first.substr(comma, 2) != ",,")
        return malformed("an authorization identity is not supported");
    gs2_header_ = client_first.substr(0, comma + 2);
    client_first_bare_ = client_first.substr(comma + 2);

    Attributes attributes(client_first_bare_);
    // The name is not used: the one of the startup message counts, and libpq sends none here. The
    // extension "m" is mandatory for whoever sends it, so it cannot be passed over.
    TRY(name, attributes.next());
    if (name.first == 'm')
        return malformed("the client requires an extension that is not supported");
    if (name.first != 'n')
        return malformed("an attribute is missing or out of order");
    TRY(client_nonce, attributes.expect('r'));
    if (!printable(client_nonce))
        return malformed("the nonce is not printable");
    while (!attributes.at_end()) {
        TRY(extension, attributes.next());
        (void)extension;  // optional ones may be ignored
    }

    nonce_ = std::string(client_nonce) + nonce_;
    server_first_ = "r=" + nonce_ + ",s=" + to_base64(bytes_of(verifier_.salt)) +
                    ",i=" + std::to_string(verifier_.iterations);
    stage_ = Stage::before_final;
    return server_first_;
}

Result<ScramServer::Finished> ScramServer::final(std::string_view client_final)
{
    if (std::exchange(stage_, Stage::over) != Stage::before_final)
        return malformed("client-final-message came out of turn");
    if (!acceptable(client_final))
        return malformed("client-final-message is too long or holds a zero byte");

    Attributes attributes(client_final);
    TRY(binding, attributes.expect('c'));
    TRY(nonce, attributes.expect('r'));
    std::optional<std::string_view> proof_text;
    while (!proof_text.has_value()) {
        TRY(attribute, attributes.next());
        if (attribute.first == 'p')
            proof_text = attribute.second;
    }
    if (!attributes.at_end())
        return malformed("there is something behind the proof");
    const std::optional<std::string> proof = from_base64(*proof_text);
    Sha256 client_key{};
    if (!proof.has_value() || proof->size() != client_key.size())
        return malformed("the proof is not 32 bytes in base64");

    std::string expected_binding = gs2_header_;
    if (gs2_header_.starts_with("p="))
        expected_binding += channel_binding_.value_or(std::string());
    if (!equal_in_constant_time(bytes_of(binding), bytes_of(to_base64(bytes_of(expected_binding)))))
        return failure(Fault::unauthentic, "SCRAM: the channel binding does not match");
    if (!equal_in_constant_time(bytes_of(nonce), bytes_of(nonce_)))
        return malformed("the nonce is not the one that was sent");

    const auto proof_begins = static_cast<std::size_t>(proof_text->data() - client_final.data());
    const std::string_view without_proof =
        client_final.substr(0, proof_begins - std::string_view(",p=").size());
    const std::string signed_text =
        client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);

    const Sha256 client_signature = hmac_sha256(verifier_.stored_key, bytes_of(signed_text));
    for (std::size_t i = 0; i < client_key.size(); ++i)
        client_key[i] = client_signature[i] ^ static_cast<std::byte>((*proof)[i]);
    const bool proved = equal_in_constant_time(sha256(client_key), verifier_.stored_key);
    if (!proved || !identity_.has_value())
        return failure(Fault::unauthentic, "SCRAM: the proof is wrong");
    return Finished{
        "v=" + to_base64(hmac_sha256(verifier_.server_key, bytes_of(signed_text))),
        ProvedUser(*std::move(identity_)),
    };
}

}  // namespace sallyport
