#include "protocols/postgres/client_authentication.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// The server's bounds on what it reads before it knows who speaks.
constexpr std::uint64_t sasl_limit = 1024;
constexpr std::uint64_t password_limit = 65535;

constexpr std::uint32_t auth_cleartext = 3;
constexpr std::uint32_t auth_sasl = 10;
constexpr std::uint32_t auth_sasl_continue = 11;
constexpr std::uint32_t auth_sasl_final = 12;

constexpr std::string_view plain_mechanism = "SCRAM-SHA-256";
constexpr std::string_view plus_mechanism = "SCRAM-SHA-256-PLUS";

std::string authentication(std::uint32_t code, std::string_view content = {})
{
    std::string message;
    MessageWriter(message).begin('R').u32(code).bytes(bytes_of(content)).end();
    return message;
}

tl::unexpected<LoginEnd> wrong_password(const std::string& user, std::string_view reason)
{
    return fatal("28P01", "password authentication failed for user \"" + user + "\"", {}, reason);
}

// The body of the client's next answer, which it may have made up entirely. Nothing where its
// length is none.
awaitable<Step<std::optional<Secret>>> read_answer(Stream& client, std::string_view expected,
                                                   std::uint64_t limit)
{
    std::array<std::byte, header_size> header{};
    CO_TRY_DONE(co_await read_exactly(client, header));
    if (std::to_integer<char>(header[0]) != 'p')
        co_return fatal("08P01", "expected " + std::string(expected) +
                                     " response, got message type " +
                                     std::to_string(std::to_integer<int>(header[0])));
    const auto head = next_head(header, limit + header_size);
    if (!head)
        co_return std::nullopt;
    std::string body(static_cast<std::size_t>((*head)->size) - header_size, '\0');
    const auto read = co_await read_exactly(client, std::as_writable_bytes(std::span(body)));
    Secret answer(std::move(body));
    if (!read)
        co_return tl::unexpected(read.error());
    co_return std::optional<Secret>(std::move(answer));
}

// The server fails such a login like one with a wrong password.
awaitable<Step<Secret>> read_sasl_answer(Stream& client, const std::string& user)
{
    CO_TRY(answer, co_await read_answer(client, "SASL", sasl_limit));
    if (!answer)
        co_return wrong_password(user, "a SASL response of impossible length");
    co_return std::move(*answer);
}

tl::unexpected<LoginEnd> scram_failed(const std::string& user, const Error& error)
{
    if (error.fault == Fault::malformed)
        return fatal("08P01", "malformed SCRAM message", error.detail, error.detail);
    return wrong_password(user, error.detail);
}

awaitable<Step<ProvedUser>> prove_by_scram(Stream& client, Gate& gate, const std::string& user)
{
    auto binding = client.channel_binding();
    const bool plus = binding.has_value();
    ScramServer scram = gate.scram_for(user, std::move(binding));
    std::string mechanisms;
    for (const std::string_view mechanism : {plus_mechanism, plain_mechanism}) {
        if (mechanism == plus_mechanism && !plus)
            continue;
        mechanisms += mechanism;
        mechanisms += '\0';
    }
    mechanisms += '\0';
    CO_TRY_DONE(co_await send_all(client, authentication(auth_sasl, mechanisms)));

    CO_TRY(initial, co_await read_sasl_answer(client, user));
    BodyReader reader(bytes_of(initial.reveal()));
    const std::string mechanism(reader.text());
    if (reader.failed())
        co_return fatal("08P01", "invalid string in message");
    if (mechanism != plain_mechanism && !(plus && mechanism == plus_mechanism))
        co_return fatal("08P01", "client selected an invalid SASL authentication mechanism");
    const std::uint32_t size = reader.u32();
    const bool without_response = size == 0xffffffffU;
    std::string client_first(text_of(reader.bytes(without_response ? 0 : size)));
    if (reader.failed())
        co_return fatal("08P01", "insufficient data left in message");
    if (!reader.rest().empty())
        co_return fatal("08P01", "invalid message format");
    if (without_response) {
        // The client chose a mechanism first and speaks when asked.
        CO_TRY_DONE(co_await send_all(client, authentication(auth_sasl_continue)));
        CO_TRY(late, co_await read_sasl_answer(client, user));
        client_first = late.reveal();
    }

    const auto server_first = scram.first(mechanism, client_first);
    if (!server_first && server_first.error().fault == Fault::unauthentic)
        co_return fatal("28000", "SCRAM channel binding negotiation error",
                        server_first.error().detail, server_first.error().detail);
    if (!server_first)
        co_return scram_failed(user, server_first.error());
    CO_TRY_DONE(co_await send_all(client, authentication(auth_sasl_continue, *server_first)));

    CO_TRY(client_final, co_await read_sasl_answer(client, user));
    auto finished = scram.final(client_final.reveal());
    if (!finished)
        co_return scram_failed(user, finished.error());
    CO_TRY_DONE(co_await send_all(client, authentication(auth_sasl_final, finished->server_final)));
    co_return std::move(finished->user);
}

awaitable<Step<ProvedUser>> prove_by_token(Stream& client, Gate& gate, const std::string& user)
{
    CO_TRY_DONE(co_await send_all(client, authentication(auth_cleartext)));
    CO_TRY(answer, co_await read_answer(client, "password", password_limit));
    if (!answer)
        co_return silent("a password message of impossible length");
    const std::string_view text = answer->reveal();
    if (text.empty() || text.find('\0') != text.size() - 1)
        co_return fatal("08P01", "invalid password packet size");
    const Secret token(std::string(text.substr(0, text.size() - 1)));
    auto proved = gate.prove_by_token(user, token);
    if (!proved)
        co_return wrong_password(user, proved.error().detail);
    co_return std::move(*proved);
}

}  // namespace

tl::unexpected<LoginEnd> fatal(std::string_view sqlstate, std::string_view message,
                               std::string_view detail, std::string_view reason,
                               std::string_view hint)
{
    return tl::unexpected<LoginEnd>(
        LoginEnd{.message = error_message("FATAL", sqlstate, message, detail, hint),
                 .reason = std::string(reason.empty() ? message : reason)});
}

tl::unexpected<LoginEnd> silent(std::string_view reason)
{
    return tl::unexpected<LoginEnd>(LoginEnd{.message = {}, .reason = std::string(reason)});
}

tl::unexpected<LoginEnd> left(std::string_view reason)
{
    return tl::unexpected<LoginEnd>(
        LoginEnd{.message = {}, .reason = std::string(reason), .refused = false});
}

awaitable<Step<void>> read_exactly(Stream& client, MutableBytes into)
{
    while (!into.empty()) {
        const auto count = co_await client.read_some(into);
        if (!count)
            co_return left(count.error().detail);
        if (*count == 0)
            co_return left("the client ended the connection during the login");
        into = into.subspan(*count);
    }
    co_return Step<void>();
}

awaitable<Step<void>> send_all(Stream& client, std::string_view bytes)
{
    const auto sent = co_await client.write(bytes_of(bytes));
    if (!sent)
        co_return left(sent.error().detail);
    co_return Step<void>();
}

awaitable<Step<ProvedUser>> prove_client(Stream& client, Gate& gate, const std::string& user)
{
    if (const auto name = client.client_common_name()) {
        auto proved = gate.prove_by_certificate(user, *name);
        if (proved)
            co_return std::move(*proved);
        // Somebody else's certificate proves nothing; a password still may.
    }
    // A token in clear text never crosses a plain connection: there such a user is refused like one
    // that nobody has.
    if (client.encrypted() && gate.asks_for_token(user))
        co_return co_await prove_by_token(client, gate, user);
    co_return co_await prove_by_scram(client, gate, user);
}

}  // namespace sallyport::postgres
