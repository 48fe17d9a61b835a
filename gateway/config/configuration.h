// The configuration file, read and checked (interface.md, "Configuration"; docs/configuration.md
// has every key).

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/identity/user_directory.h"
#include "gateway/policy/policy.h"
#include "gateway/targets/target.h"
#include "gateway/vocabulary/command.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

struct GatewaySettings {
    std::string name = "sallyport";
    std::string state_dir = "/var/lib/sallyport";
    std::string listen_postgres;  // empty: no listener
    std::string tls_certificate;  // empty: from the gateway's own CA
    std::string tls_key;
    unsigned threads = 0;  // that serve connections; 0: one for each core
    std::size_t connections = 10000;
    std::chrono::seconds login_deadline{30};
};

struct StoreSettings {
    bool embedded = true;
    Secret dsn;  // may hold a password
};

struct AuditSettings {
    Durability durability = Durability::standard;
    std::uint64_t journal_limit = std::uint64_t{4} << 30;  // bytes not yet in the store
    std::chrono::seconds journal_age{3600};                // of the oldest of them
    std::chrono::days recordings_retention{90};
    std::chrono::days records_retention{2557};
};

struct Configuration {
    GatewaySettings gateway;
    StoreSettings store;
    AuditSettings audit;
    std::vector<LocalUser> users;
    std::vector<std::shared_ptr<const Connection>> connections;
    std::vector<std::shared_ptr<const PolicyEntry>> policies;
    std::map<std::string, std::vector<std::string>>
        roles;                  // "admin", "auditor", "approver": groups
    std::string hash;           // "sha256:..." of the file's bytes
    std::string policies_hash;  // "sha256:..." of what the policies say, however they are spelled
};

// A mistake in a file, for people: "gateway.yaml:12: unknown key 'polcy' in connections[0]; known
// keys are ...".
struct Problem {
    std::string file;
    int line = 0;  // from 1; 0 where the file as a whole is meant
    std::string text;
};

std::string to_string(const Problem& problem);

// What a protocol brings to the configuration: its name and the vocabulary of its rules.
struct ProtocolWords {
    std::string_view name;  // "postgres"
    const Vocabulary* vocabulary;
};

// Reads, resolves ${env:} and ${file:}, and checks everything that can be checked without
// connecting anywhere. All problems, in the order of their lines, not just the first.
tl::expected<Configuration, std::vector<Problem>> read_configuration(
    const std::string& file, std::span<const ProtocolWords> protocols);

// The same for a text that has been read already. file: its name in problems; relative paths in the
// text start at its folder.
tl::expected<Configuration, std::vector<Problem>> parse_configuration(
    std::string_view text, const std::string& file, std::span<const ProtocolWords> protocols);

}  // namespace sallyport
