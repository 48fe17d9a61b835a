#include "gateway/program/make_snapshot.h"

#include <memory>
#include <utility>

namespace sallyport {

Snapshot make_snapshot(const Configuration& configuration, std::string mask_key,
                       std::string decoy_key)
{
    Snapshot snapshot;
    snapshot.users =
        std::make_shared<const UserDirectory>(configuration.users, std::move(decoy_key));
    for (const auto& connection : configuration.connections)
        snapshot.connections.emplace(connection->name, connection);
    snapshot.policies = std::make_shared<const PolicySet>(
        configuration.policies, configuration.policies_hash,
        std::make_shared<const MaskKey>(MaskKey{std::move(mask_key)}));
    snapshot.hash = configuration.hash;
    return snapshot;
}

}  // namespace sallyport
