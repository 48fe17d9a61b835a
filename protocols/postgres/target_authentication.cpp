#include "protocols/postgres/target_authentication.h"

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <span>
#include <utility>

#include "gateway/digest/digest.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr std::size_t byte_limit = std::size_t{1} << 20;
constexpr int message_limit = 1000;
constexpr std::uint32_t protocol_version = 3U << 16;

// Codes of Authentication messages.
constexpr std::uint32_t auth_ok = 0;
constexpr std::uint32_t auth_cleartext = 3;
constexpr std::uint32_t auth_md5 = 5;
constexpr std::uint32_t auth_sasl = 10;
constexpr std::uint32_t auth_sasl_continue = 11;
constexpr std::uint32_t auth_sasl_final = 12;

std::optional<std::string> md5_hex(std::string_view text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
        return std::nullopt;
    return to_hex(std::as_bytes(std::span(digest).first(size)));
}

}  // namespace

std::string name_of(const Target& target)
{
    return "target " + target.host + ":" + std::to_string(target.port);
}

// A packet without a type byte.
std::string untyped_packet(std::string_view body)
{
    std::string packet(4, '\0');
    write_u32(std::as_writable_bytes(std::span(packet)).data(),
              static_cast<std::uint32_t>(body.size() + 4));
    packet += body;
    return packet;
}

std::string four_bytes(std::uint32_t value)
{
    std::string bytes(4, '\0');
    write_u32(std::as_writable_bytes(std::span(bytes)).data(), value);
    return bytes;
}

tl::unexpected<Error> TargetAuthentication::broken(const std::string& what) const
{
    return failure(Fault::unavailable, name_of(target_) + " " + what);
}

tl::unexpected<Error> TargetAuthentication::refused(const Frame& frame) const
{
    const auto diagnostic = read_diagnostic(frame.body);
    if (!diagnostic)
        return broken("refused the gateway with an error that cannot be read");
    const std::string sqlstate = printable(diagnostic->field('C'));
    return broken("refused the gateway: " + printable(diagnostic->field('M')) +
                  (sqlstate.empty() ? std::string() : " (" + sqlstate + ")"));
}

bool TargetAuthentication::allows(std::string_view method) const
{
    const auto& allowed = target_.weak_authentication;
    return std::find(allowed.begin(), allowed.end(), method) != allowed.end();
}

tl::unexpected<Error> TargetAuthentication::needs_permission(std::string_view shown_as,
                                                             std::string_view method) const
{
    return broken("asks for the password " + std::string(shown_as) +
                  ", which the connection does not allow: move the target to scram-sha-256, or "
                  "name " +
                  std::string(method) + " in the connection's weak_authentication");
}

// The next message; it views the buffer and is valid until the next call.
awaitable<Result<Frame>> TargetAuthentication::next()
{
    if (++messages_ > message_limit)
        co_return broken("sent more than " + std::to_string(message_limit) +
                         " messages before it was ready");
    for (;;) {
        const Bytes unread = bytes_of(std::string_view(buffer_).substr(start_));
        auto frame = next_frame(unread, byte_limit);
        if (!frame) {
            // A server that cannot even start a process says so in the form of protocol 2: an E and
            // a text.
            if (text_of(unread).starts_with('E')) {
                const std::string_view text = text_of(unread.subspan(1));
                co_return broken("refused the gateway: " +
                                 printable(text.substr(0, text.find('\0'))));
            }
            co_return broken("does not speak PostgreSQL's protocol: " + frame.error().detail);
        }
        if (*frame) {
            start_ += (*frame)->whole.size();
            co_return **frame;
        }
        if (start_ > 0)
            buffer_.erase(0, std::exchange(start_, 0));
        const std::size_t kept = buffer_.size();
        buffer_.resize(kept + 4096);
        const auto room = std::as_writable_bytes(std::span(buffer_)).subspan(kept);
        auto count = co_await stream_.read_some(room);
        buffer_.resize(kept + count.value_or(0));
        if (!count)
            co_return broken("ended the connection during the login: " + count.error().detail);
        if (*count == 0)
            co_return broken("ended the connection during the login");
        read_ += *count;
        if (read_ > byte_limit)
            co_return broken("sent more than " + std::to_string(byte_limit) +
                             " bytes before it was ready");
    }
}

awaitable<Result<void>> TargetAuthentication::answer(Bytes payload)
{
    std::string head;
    MessageWriter(head).begin('p').end();
    write_u32(std::as_writable_bytes(std::span(head)).data() + 1,
              static_cast<std::uint32_t>(payload.size() + 4));
    // Two pieces, so that no copy of a password is left behind.
    const std::vector<asio::const_buffer> pieces = {asio::buffer(head),
                                                    {payload.data(), payload.size()}};
    co_return co_await stream_.write(pieces);
}

awaitable<Result<void>> TargetAuthentication::send_cleartext()
{
    if (!allows("cleartext"))
        co_return needs_permission("in clear text", "cleartext");
    std::string text;
    text.reserve(target_.password.reveal().size() + 1);
    text += target_.password.reveal();
    text += '\0';
    const Secret payload(std::move(text));
    co_return co_await answer(bytes_of(payload.reveal()));
}

awaitable<Result<void>> TargetAuthentication::send_md5(Bytes salt)
{
    if (!allows("md5"))
        co_return needs_permission("as MD5", "md5");
    std::string text;
    text.reserve(target_.password.reveal().size() + target_.user.size());
    text += target_.password.reveal();
    text += target_.user;
    const Secret plain(std::move(text));
    auto inner = md5_hex(plain.reveal());
    if (!inner)
        co_return broken("asks for MD5, which this machine's OpenSSL does not offer");
    // It is as good as the password where the server keeps MD5.
    const Secret stored(std::move(*inner));
    std::string salted(stored.reveal());
    salted += text_of(salt);
    const Secret kept(std::move(salted));
    const std::string payload = "md5" + md5_hex(kept.reveal()).value_or("") + '\0';
    co_return co_await answer(bytes_of(payload));
}

awaitable<Result<void>> TargetAuthentication::begin_scram(BodyReader body)
{
    bool offers_scram = false;
    bool offers_plus = false;
    for (;;) {
        const std::string_view mechanism = body.text();
        if (mechanism.empty())
            break;
        offers_scram = offers_scram || mechanism == "SCRAM-SHA-256";
        offers_plus = offers_plus || mechanism == "SCRAM-SHA-256-PLUS";
    }
    auto binding = stream_.channel_binding();
    if (body.failed() || !(offers_scram || (offers_plus && binding)))
        co_return broken(
            "offers no authentication that the gateway speaks: neither "
            "SCRAM-SHA-256 nor, over TLS, SCRAM-SHA-256-PLUS");
    scram_.emplace(target_.password, std::move(binding), offers_plus);
    const std::string first = scram_->first();
    std::string payload(scram_->mechanism());
    payload += '\0';
    payload += four_bytes(static_cast<std::uint32_t>(first.size()));
    payload += first;
    co_return co_await answer(bytes_of(payload));
}

awaitable<Result<void>> TargetAuthentication::authenticate(
    const std::map<std::string, std::string>& startup)
{
    // What must hold for every session stands first and is left out of the rest.
    std::map<std::string, std::string> sent = {
        {"user", target_.user}, {"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}};
    if (!target_.database.empty())
        sent.emplace("database", target_.database);
    sent.insert(startup.begin(), startup.end());
    std::string body = four_bytes(protocol_version);
    for (const auto& [name, value] : sent) {
        for (const std::string& text : {name, value}) {
            if (text.find('\0') != std::string::npos)
                co_return broken("cannot be sent a startup parameter with a zero byte: " +
                                 printable(name));
            body += text;
            body += '\0';
        }
    }
    body += '\0';
    const std::string packet = untyped_packet(body);
    CO_TRY_DONE(co_await stream_.write(bytes_of(packet)));

    for (;;) {
        CO_TRY(frame, co_await next());
        if (frame.type == 'E')
            co_return refused(frame);
        if (frame.type == 'N' || frame.type == 'v')
            continue;
        BodyReader reader(frame.body);
        const std::uint32_t code = reader.u32();
        if (frame.type != 'R' || reader.failed())
            co_return broken("sent a message of type " + printable({&frame.type, 1}) +
                             " instead of an authentication request");
        if (code == auth_ok) {
            if (scram_ && !verified_)
                co_return broken("did not prove that it knows the password");
            co_return Result<void>();
        }
        if (code == auth_sasl_continue && scram_ && !verified_) {
            const auto final = scram_->final(text_of(reader.rest()));
            if (!final)
                co_return broken("failed the SCRAM login: " + printable(final.error().detail));
            CO_TRY_DONE(co_await answer(bytes_of(*final)));
            continue;
        }
        if (code == auth_sasl_final && scram_ && !verified_) {
            const auto proved = scram_->verify(text_of(reader.rest()));
            if (!proved)
                co_return broken("failed the SCRAM login: " + printable(proved.error().detail));
            verified_ = true;
            continue;
        }
        if (std::exchange(answered_, true))
            co_return broken("sent an authentication request out of order");
        if (code != auth_cleartext && code != auth_md5 && code != auth_sasl)
            co_return broken("asks for authentication method " + std::to_string(code) +
                             ", which the gateway does not speak: use scram-sha-256 or cert");
        if (target_.password.empty())
            co_return broken("asks for a password and the connection has none");
        if (code == auth_cleartext) {
            CO_TRY_DONE(co_await send_cleartext());
        } else if (code == auth_md5) {
            const Bytes salt = reader.bytes(4);
            if (reader.failed())
                co_return broken("asks for MD5 without a salt");
            CO_TRY_DONE(co_await send_md5(salt));
        } else {
            CO_TRY_DONE(co_await begin_scram(reader));
        }
    }
}

awaitable<Result<void>> TargetAuthentication::read_until_ready(TargetSession& session)
{
    for (;;) {
        CO_TRY(frame, co_await next());
        BodyReader reader(frame.body);
        switch (frame.type) {
        case 'E': co_return refused(frame);
        case 'N': break;
        case 'S': {
            const std::string_view name = reader.text();
            const std::string_view value = reader.text();
            if (reader.failed())
                co_return broken("sent a ParameterStatus that cannot be read");
            session.parameters.insert_or_assign(std::string(name), std::string(value));
            break;
        }
        case 'K':
            session.key.process = reader.u32();
            session.key.secret = text_of(reader.rest());
            if (reader.failed() || session.key.secret.size() < 4 || session.key.secret.size() > 256)
                co_return broken("sent a BackendKeyData that cannot be read");
            break;
        case 'Z':
            if (reader.u8() != 'I' || !reader.rest().empty())
                co_return broken("sent a ReadyForQuery that cannot be read");
            session.unread = buffer_.substr(start_);
            co_return Result<void>();
        default:
            co_return broken("sent a message of type " + printable({&frame.type, 1}) +
                             " before it was ready");
        }
    }
}

}  // namespace sallyport::postgres
