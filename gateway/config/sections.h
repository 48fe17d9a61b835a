// The sections of the configuration file, one function each.

#pragma once

#include "gateway/config/map_reader.h"

namespace sallyport {

GatewaySettings read_gateway(const YamlNode& node, Reading& reading);
StoreSettings read_store(const YamlNode& node, Reading& reading);
AuditSettings read_audit(const YamlNode& node, Reading& reading);

// `identity:`, into users and roles.
void read_identity(const YamlNode& node, Reading& reading, Configuration& into);

// One entry of `connections:`; null where it cannot be used, which is a problem then.
std::shared_ptr<const Connection> read_connection(const YamlNode& node, const std::string& path,
                                                  Durability durability, Reading& reading);

// One entry of `policies:`.
std::shared_ptr<const PolicyEntry> read_policy(const YamlNode& node, const std::string& path,
                                               Reading& reading);

// `durability:` of audit or of a connection.
std::optional<Durability> read_durability(MapReader& map);

// How a list of maps reports a name that stands twice: "users[2].name: "x" stands twice ...".
class UniqueNames {
public:
    // False, and a problem, where the name was there before.
    bool add(const std::string& name, int line, const std::string& path, Reading& reading);

private:
    std::vector<std::pair<std::string, int>> names_;
};

}  // namespace sallyport
