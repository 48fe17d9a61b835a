// The texts one thread has read for one connection: a cache for each search path that its sessions
// have, all of them under the newest catalogue.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocols/postgres/catalogue.h"
#include "protocols/postgres/search_path.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

class SqlReadings {
public:
    // role: the target's, as whom sessions log in: "$user" in a search path.
    SqlReadings(std::vector<std::string> trusted_functions, std::string role)
        : trusted_(std::move(trusted_functions)), role_(std::move(role))
    {
    }

    // catalogue: null where it cannot be read. path: nothing for the login's default. Give it back
    // to the next call, so that it is kept.
    std::shared_ptr<SqlCache> under(const std::shared_ptr<const Catalogue>& catalogue,
                                    const std::optional<SearchPath>& path);

    // For a session with relations of its own.
    std::shared_ptr<SqlCache> alone(
        const std::shared_ptr<const Catalogue>& catalogue, const std::optional<SearchPath>& path,
        std::vector<std::shared_ptr<const CatalogueRelation>> own) const;

private:
    std::shared_ptr<Resolution> resolution(
        const std::shared_ptr<const Catalogue>& catalogue, const std::optional<SearchPath>& path,
        std::vector<std::shared_ptr<const CatalogueRelation>> own = {}) const;

    std::vector<std::string> trusted_;
    std::string role_;
    std::shared_ptr<const Catalogue> catalogue_;
    std::vector<std::pair<std::optional<SearchPath>, std::shared_ptr<SqlCache>>> caches_;
};

}  // namespace sallyport::postgres
