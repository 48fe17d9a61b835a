// What can be reached, and with which credential. A value from the configuration.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/vocabulary/secret.h"

namespace sallyport {

// How the gateway protects its own connection to a target. Meanings as libpq's sslmode of the same
// name; there is no "prefer": a target either has TLS or the operator said it has not.
enum class TargetTls : std::uint8_t { disable, require, verify_ca, verify_full };

struct Target {
    std::string host;
    std::uint16_t port = 0;
    std::string database;
    std::string user;
    Secret password;
    TargetTls tls = TargetTls::verify_full;
    std::string ca_file;           // PEM; empty: the system's certificates
    std::string certificate_file;  // client certificate for the target, PEM; empty: none
    std::string key_file;

    // Password methods weaker than SCRAM that the operator allows: "md5", "cleartext".
    std::vector<std::string> weak_authentication;
};

enum class Durability : std::uint8_t { standard, strict, store };

// One entry of `connections:`. Shared, immutable, by every session that uses it.
struct Connection {
    std::string name;
    std::string protocol;
    Target target;
    Durability durability = Durability::standard;
    std::vector<std::string> trusted_functions;
    bool allow_replication = false;
    std::uint64_t message_limit = std::uint64_t{1} << 30;  // bytes of one protocol message
};

}  // namespace sallyport
