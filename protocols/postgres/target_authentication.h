// A login to a target once it is connected: its messages, and the answers to them.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/edge/stream.h"
#include "gateway/targets/target.h"
#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/scram_client.h"
#include "protocols/postgres/target_login.h"

namespace sallyport::postgres {

// "target 127.0.0.1:5432", with which everything said about it begins.
std::string name_of(const Target& target);

// A packet without a type byte; the four bytes of a number.
std::string untyped_packet(std::string_view body);
std::string four_bytes(std::uint32_t value);

class TargetAuthentication {
public:
    // Both outlive it. The stream has its TLS already.
    TargetAuthentication(const Target& target, Stream& stream) : target_(target), stream_(stream) {}

    // Sends the startup packet and answers what is asked, until AuthenticationOk.
    boost::asio::awaitable<Result<void>> authenticate(
        const std::map<std::string, std::string>& startup);

    // Reads up to ReadyForQuery; fills in everything of the session but its stream.
    boost::asio::awaitable<Result<void>> read_until_ready(TargetSession& session);

private:
    boost::asio::awaitable<Result<Frame>> next();
    boost::asio::awaitable<Result<void>> answer(Bytes payload);
    boost::asio::awaitable<Result<void>> send_cleartext();
    boost::asio::awaitable<Result<void>> send_md5(Bytes salt);
    boost::asio::awaitable<Result<void>> begin_scram(BodyReader body);
    bool allows(std::string_view method) const;
    tl::unexpected<Error> broken(const std::string& what) const;
    tl::unexpected<Error> refused(const Frame& frame) const;
    tl::unexpected<Error> needs_permission(std::string_view shown_as,
                                           std::string_view method) const;

    const Target& target_;
    Stream& stream_;
    std::string buffer_;  // read and not yet consumed, from start_ on
    std::size_t start_ = 0;
    std::size_t read_ = 0;  // bytes in all
    int messages_ = 0;
    std::optional<ScramClient> scram_;
    bool verified_ = false;  // the server's SCRAM signature
    bool answered_ = false;  // some method was asked for
};

}  // namespace sallyport::postgres
