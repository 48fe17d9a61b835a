// The first packet of a connection (PostgreSQL documentation, "Message Flow", 55.2.1), understood.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

inline constexpr std::size_t startup_limit =
    10000;  // bytes, as the server's MAX_STARTUP_PACKET_LENGTH

struct SslRequest {};
struct GssEncRequest {};
struct CancelRequest {
    std::uint32_t process = 0;
    std::string secret;  // 4 bytes in 3.0, up to 256 in 3.2
};
struct StartupMessage {
    std::uint16_t major = 3;
    std::uint16_t minor = 0;
    std::map<std::string, std::string>
        parameters;  // names in lower case; without user, database, replication, options and _pq_.*
    std::string user;
    std::string database;     // the user's name where the client gave none
    std::string replication;  // empty: none asked for
    std::vector<std::string> unknown_protocol_options;  // _pq_.* names
};
using StartupPacket = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupMessage>;

// Nothing when more bytes are needed; Fault::malformed for lengths out of bounds, an unknown
// request code, an unsupported major version, a missing user, parameters without terminator.
// `options` ("-c name=value", "--name=value", "-cname=value", with backslash escapes as the server
// reads them) is taken apart into parameters; anything else in it is malformed. Error::context is
// then the SQLSTATE to answer with, empty where the server closes without a word.
// consumed: bytes the packet took.
Result<std::optional<StartupPacket>> read_startup(Bytes bytes, std::size_t& consumed);

// The parameters of a client that the target may see: an allowlist of session settings that
// change presentation, planning and time-outs (docs/configuration.md names them). Fault::refused,
// naming the first that is not on it. client_encoding other than UTF8 (in PostgreSQL's spellings)
// is refused as well; it and standard_conforming_strings=on are left out, the target gets both in
// any case.
Result<std::map<std::string, std::string>> passed_on(const StartupMessage& startup);

}  // namespace sallyport::postgres
