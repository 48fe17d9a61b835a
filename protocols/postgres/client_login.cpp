#include "protocols/postgres/client_login.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <span>
#include <utility>

#include "gateway/edge/raceable.h"
#include "protocols/postgres/client_authentication.h"
#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using namespace asio::experimental::awaitable_operators;

using Outcome = std::variant<LoggedIn, CancelRequest>;

constexpr std::byte tls_handshake{0x16};  // no startup packet begins so: it would be too long
constexpr std::string_view alpn = "postgresql";
constexpr std::size_t name_limit = 63;  // as the server's NAMEDATALEN - 1
constexpr std::uint32_t newest_protocol = 3U << 16;

bool is_clean(std::string_view name)
{
    return std::none_of(name.begin(), name.end(), [](char each) {
        return static_cast<unsigned char>(each) < 0x20 || each == 0x7f;
    });
}

// What a client calls itself, as the server cleans application_name.
std::string clean_application_name(std::string_view name)
{
    std::string clean(name.substr(0, name_limit));
    std::replace_if(
        clean.begin(), clean.end(), [](char each) { return each < 0x20 || each > 0x7e; }, '?');
    return clean;
}

// The server's parse_bool(): any beginning of the words that tells them apart, in either case.
std::optional<bool> read_boolean(std::string_view text)
{
    std::string word(text);
    std::transform(word.begin(), word.end(), word.begin(), [](char each) {
        return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
    });
    const auto begins = [&word](std::string_view whole, std::size_t least) {
        return word.size() >= least && whole.starts_with(word);
    };
    if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1")
        return true;
    if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0")
        return false;
    return std::nullopt;
}

// One login. Outlives the race against its deadline, so that a login that came too late still has a
// name.
class ClientLogin {
public:
    ClientLogin(Stream& client, Gate& gate, const LoginSettings& settings)
        : client_(client), gate_(gate), settings_(settings)
    {
    }

    awaitable<Result<Outcome>> run();
    Error too_late();

private:
    awaitable<Step<Outcome>> log_in();
    awaitable<Step<StartupPacket>> first_packet();
    awaitable<Step<StartupPacket>> read_packet();
    awaitable<Step<void>> begin_tls();
    awaitable<Step<void>> negotiate(const StartupMessage& startup);
    awaitable<Step<LoggedIn>> admit(const StartupMessage& startup, ProvedUser user);
    std::string who() const;

    Stream& client_;
    Gate& gate_;
    const LoginSettings& settings_;
    std::string user_;
    std::string connection_;
    bool admitted_ = false;  // the gate has recorded what came of it
};

awaitable<Step<void>> ClientLogin::begin_tls()
{
    auto encrypted = co_await client_.accept_tls(*settings_.tls);
    if (encrypted)
        co_return Step<void>();
    if (encrypted.error().fault == Fault::closed)
        co_return left(encrypted.error().detail);
    co_return silent(encrypted.error().detail);
}

// Reads one packet and not a byte more: what follows an SSLRequest belongs to TLS
// (CVE-2021-23214).
awaitable<Step<StartupPacket>> ClientLogin::read_packet()
{
    std::string bytes(4, '\0');
    CO_TRY_DONE(co_await read_exactly(client_, std::as_writable_bytes(std::span(bytes))));
    std::size_t consumed = 0;
    auto packet = read_startup(bytes_of(bytes), consumed);
    if (packet) {  // its length is within bounds
        bytes.resize(read_u32(bytes_of(bytes)));
        const auto rest = std::as_writable_bytes(std::span(bytes)).subspan(4);
        CO_TRY_DONE(co_await read_exactly(client_, rest));
        packet = read_startup(bytes_of(bytes), consumed);
    }
    if (packet)
        co_return std::move(**packet);
    const Error& error = packet.error();
    if (error.context.empty())
        co_return silent(error.detail);
    if (error.context == "0A000" && std::to_integer<int>(bytes_of(bytes)[5]) < 3 && bytes[4] == 0) {
        // A client of protocol 1 or 2 reads errors in another form.
        LoginEnd end{.message = "EFATAL:  " + error.detail + "\n", .reason = error.detail};
        end.message += '\0';
        co_return tl::unexpected(std::move(end));
    }
    co_return fatal(error.context, error.detail);
}

// The first packet that is no request for encryption.
awaitable<Step<StartupPacket>> ClientLogin::first_packet()
{
    std::array<std::byte, 1> first{};
    std::size_t count = 0;
    const auto there = co_await client_.peek(first, count);
    if (!there || count == 0)
        co_return left("the client ended the connection before it said anything");
    bool tls_decided = false;
    bool gss_decided = false;
    if (first[0] == tls_handshake) {
        CO_TRY_DONE(co_await begin_tls());
        if (client_.alpn() != alpn)
            co_return silent("direct TLS connection without the ALPN protocol \"postgresql\"");
        tls_decided = gss_decided = true;
    }
    for (;;) {
        CO_TRY(packet, co_await read_packet());
        if (std::holds_alternative<SslRequest>(packet)) {
            if (tls_decided)
                co_return fatal("0A000",
                                "unsupported frontend protocol 1234.5679: server supports 3.0 to "
                                "3.0",
                                {}, "a second request for TLS");
            CO_TRY_DONE(co_await send_all(client_, "S"));
            CO_TRY_DONE(co_await begin_tls());
            tls_decided = gss_decided = true;
        } else if (std::holds_alternative<GssEncRequest>(packet)) {
            if (gss_decided)
                co_return fatal("0A000",
                                "unsupported frontend protocol 1234.5680: server supports 3.0 to "
                                "3.0",
                                {},
                                "a request for GSS encryption after TLS or another such request");
            CO_TRY_DONE(co_await send_all(client_, "N"));
            gss_decided = true;
        } else {
            co_return std::move(packet);
        }
    }
}

// Tells a client of a newer protocol what there is instead.
awaitable<Step<void>> ClientLogin::negotiate(const StartupMessage& startup)
{
    if (startup.minor == 0 && startup.unknown_protocol_options.empty())
        co_return Step<void>();
    std::string message;
    MessageWriter writer(message);
    writer.begin('v').u32(newest_protocol);
    writer.u32(static_cast<std::uint32_t>(startup.unknown_protocol_options.size()));
    for (const std::string& option : startup.unknown_protocol_options)
        writer.text(option);
    writer.end();
    co_return co_await send_all(client_, message);
}

awaitable<Step<LoggedIn>> ClientLogin::admit(const StartupMessage& startup, ProvedUser user)
{
    auto parameters = passed_on(startup);
    if (!parameters) {
        const bool encoding = parameters.error().detail.starts_with("client_encoding");
        co_return fatal(
            encoding ? "22023" : "42501", parameters.error().detail, {}, {},
            encoding ? "" : "Set it in the session instead, where the policy allows it.");
    }
    const bool whole_server = read_boolean(startup.replication).value_or(false);
    const bool replication = whole_server || startup.replication == "database";
    if (!replication && !startup.replication.empty() && !read_boolean(startup.replication))
        co_return fatal(
            "22023", "invalid value for parameter \"replication\": \"" + startup.replication + "\"",
            {}, {}, "Valid values are: \"false\", 0, \"true\", 1, \"database\".");

    const auto name = parameters->find("application_name");
    std::string application_name =
        name == parameters->end() ? std::string() : clean_application_name(name->second);
    Presented presented{.user = std::move(user),
                        .connection = startup.database,
                        .protocol = "postgres",
                        .client = application_name,
                        .peer = client_.peer()};
    auto session = co_await gate_.admit(std::move(presented));
    if (!session) {
        const Error& error = session.error();
        admitted_ = error.fault == Fault::refused;
        if (error.fault == Fault::refused)
            co_return fatal("3D000", "database \"" + startup.database + "\" does not exist", {},
                            error.detail);
        if (error.fault == Fault::unrecorded)
            co_return fatal("58030", "the gateway cannot record this session",
                            "Nothing may run unrecorded. Try again later, or tell the operator.",
                            error.detail);
        co_return fatal("53300", "the gateway cannot open this session now",
                        "Try again later, or tell the operator.", error.detail);
    }
    admitted_ = true;
    if (replication && !(*session)->connection().allow_replication) {
        const std::string reason = "replication connections to \"" + startup.database +
                                   "\" are not allowed by this gateway";
        (*session)->close(reason);
        co_return fatal("42501", reason);
    }
    if (replication)
        parameters->insert_or_assign("replication", startup.replication);
    co_return LoggedIn{.session = std::move(*session),
                       .parameters = std::move(*parameters),
                       .application_name = std::move(application_name)};
}

awaitable<Step<Outcome>> ClientLogin::log_in()
{
    CO_TRY(packet, co_await first_packet());
    if (auto* cancel = std::get_if<CancelRequest>(&packet))
        co_return Outcome(std::move(*cancel));
    const auto& startup = std::get<StartupMessage>(packet);
    user_ = startup.user;
    connection_ = startup.database;
    CO_TRY_DONE(co_await negotiate(startup));
    if (user_.size() > name_limit)
        co_return fatal("28000", "user names have at most 63 bytes");
    if (!is_clean(user_) || !is_clean(connection_))
        co_return fatal("28000", "user and database names have no control characters");
    CO_TRY(user, co_await prove_client(client_, gate_, user_));
    CO_TRY(logged_in, co_await admit(startup, std::move(user)));
    co_return Outcome(std::move(logged_in));
}

// For a log line; empty as long as the client has not said who it wants to be.
std::string ClientLogin::who() const
{
    if (user_.empty())
        return {};
    return "user=" + in_quotes(user_) + " connection=" + in_quotes(connection_);
}

awaitable<Result<Outcome>> ClientLogin::run()
{
    auto outcome = co_await log_in();
    if (outcome)
        co_return std::move(*outcome);
    const LoginEnd& end = outcome.error();
    // Before the client hears of it: it may be gone when it has.
    if (end.refused && !admitted_)
        gate_.record_refusal("postgres", user_, connection_, client_.peer(), end.reason);
    if (!end.message.empty())
        (void)co_await send_all(client_, end.message);  // a client that left needs no error
    Error error{end.refused ? Fault::refused : Fault::closed, printable(end.reason), who()};
    co_return tl::unexpected(std::move(error));
}

Error ClientLogin::too_late()
{
    const std::string reason =
        "the login was not finished within " + std::to_string(settings_.deadline.count()) + " ms";
    if (!admitted_)
        gate_.record_refusal("postgres", user_, connection_, client_.peer(), reason);
    return {Fault::refused, reason, who()};
}

awaitable<void> wait_for(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

awaitable<Result<std::variant<LoggedIn, CancelRequest>>> log_in_client(
    Stream& client, Gate& gate, const LoginSettings& settings)
{
    ClientLogin login(client, gate, settings);
    auto race = raceable(login.run()) || wait_for(settings.deadline);
    auto winner = co_await std::move(race);
    if (winner.index() != 0)
        co_return tl::unexpected(login.too_late());
    co_return std::move(*std::get<0>(winner));
}

}  // namespace sallyport::postgres
