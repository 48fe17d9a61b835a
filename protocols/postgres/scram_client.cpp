#include "protocols/postgres/scram_client.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/digest/saslprep.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t message_limit = 4096;
constexpr std::size_t nonce_limit = 1024;
constexpr std::size_t salt_limit = 1024;

tl::unexpected<Error> malformed(std::string_view what)
{
    return failure(Fault::malformed, "malformed SCRAM message: " + std::string(what));
}

// Takes "<name>=<value>" and the comma behind it off the front; nothing where another attribute, or
// none, stands there.
std::optional<std::string_view> take(std::string_view& message, char name)
{
    if (message.size() < 2 || message[0] != name || message[1] != '=')
        return std::nullopt;
    const std::string_view attribute = message.substr(2, message.find(',') - 2);
    message.remove_prefix(std::min(message.size(), attribute.size() + 3));
    return attribute;
}

// RFC 5802, "printable": what a nonce is made of.
bool is_printable(std::string_view text)
{
    return std::all_of(text.begin(), text.end(),
                       [](char each) { return each >= 0x21 && each <= 0x7e && each != ','; });
}

}  // namespace

std::string random_scram_nonce()
{
    std::array<std::byte, 18> random{};
    fill_random(random);
    return to_base64(random);
}

ScramClient::ScramClient(const Secret& password, std::optional<std::string> channel_binding,
                         bool server_offers_plus, std::string nonce)
    : password_(password),
      channel_binding_(std::move(channel_binding)),
      plus_(server_offers_plus && channel_binding_),
      nonce_(std::move(nonce))
{
    // "y" says that we could bind the channel and the server does not offer to: one that did offer
    // it knows then that somebody in between took the offer away.
    gs2_header_ = plus_ ? "p=tls-server-end-point,," : (channel_binding_ ? "y,," : "n,,");
}

std::string_view ScramClient::mechanism() const
{
    return plus_ ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

std::string ScramClient::first()
{
    client_first_bare_ = "n=,r=" + nonce_;
    return gs2_header_ + client_first_bare_;
}

Result<std::string> ScramClient::final(std::string_view server_first)
{
    if (server_first.size() > message_limit)
        return malformed("the server's first message is too long");
    std::string_view rest = server_first;
    const auto nonce = take(rest, 'r');
    const auto salt_text = take(rest, 's');
    const auto iterations_text = take(rest, 'i');
    if (!nonce || !salt_text || !iterations_text || !rest.empty() || server_first.ends_with(','))
        return malformed("the server's first message does not have nonce, salt and iterations");
    if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size() ||
        nonce->size() > nonce_limit || !is_printable(*nonce))
        return malformed("the server's nonce does not continue ours");
    const auto salt = from_base64(*salt_text);
    if (!salt || salt->empty() || salt->size() > salt_limit)
        return malformed("the salt is not base64, empty or too long");
    int iterations = 0;
    const char* const end = iterations_text->data() + iterations_text->size();
    const auto [stopped, error] = std::from_chars(iterations_text->data(), end, iterations);
    if (error == std::errc::result_out_of_range || iterations > scram_iteration_limit)
        return failure(Fault::malformed, "the server asks for more than " +
                                             std::to_string(scram_iteration_limit) +
                                             " SCRAM iterations");
    if (error != std::errc() || stopped != end || iterations < 1)
        return malformed("the iterations are no positive number");

    std::string bound = gs2_header_;
    if (plus_)
        bound += *channel_binding_;
    const std::string without_proof =
        "c=" + to_base64(bytes_of(bound)) + ",r=" + std::string(*nonce);
    const std::string signed_text =
        client_first_bare_ + "," + std::string(server_first) + "," + without_proof;

    const Secret prepared = saslprep(password_);
    const Sha256 salted = pbkdf2_sha256(prepared.reveal(), bytes_of(*salt), iterations);
    const Sha256 client_key = hmac_sha256(salted, bytes_of("Client Key"));
    const Sha256 stored_key = sha256(client_key);
    const Sha256 client_signature = hmac_sha256(stored_key, bytes_of(signed_text));
    const Sha256 server_key = hmac_sha256(salted, bytes_of("Server Key"));
    server_signature_ = hmac_sha256(server_key, bytes_of(signed_text));
    answered_ = true;

    Sha256 proof{};
    std::transform(client_key.begin(), client_key.end(), client_signature.begin(), proof.begin(),
                   [](std::byte key, std::byte signature) { return key ^ signature; });
    return without_proof + ",p=" + to_base64(proof);
}

Result<void> ScramClient::verify(std::string_view server_final)
{
    if (!answered_)
        return malformed("the server ended the exchange before it began");
    if (server_final.size() > message_limit)
        return malformed("the server's final message is too long");
    if (server_final.starts_with("e="))
        return failure(Fault::unauthentic, "the server refused the SCRAM exchange");
    std::string_view rest = server_final;
    const auto text = take(rest, 'v');
    if (!text || !rest.empty() || server_final.ends_with(','))
        return malformed("the server's final message has no signature");
    const auto signature = from_base64(*text);
    if (!signature || signature->size() != server_signature_.size())
        return malformed("the server's signature has the wrong form");
    if (!equal_in_constant_time(bytes_of(*signature), server_signature_))
        return failure(Fault::unauthentic, "the server's SCRAM signature is wrong");
    return {};
}

}  // namespace sallyport::postgres
