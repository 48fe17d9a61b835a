#include "protocols/postgres/sql_readings.h"

#include <algorithm>

#include "protocols/postgres/resolution.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t cache_limit = std::size_t{8} << 20;         // bytes
constexpr std::size_t lone_cache_limit = std::size_t{256} << 10;  // of one session
constexpr std::size_t most_paths = 8;

}  // namespace

std::shared_ptr<Resolution> SqlReadings::resolution(
    const std::shared_ptr<const Catalogue>& catalogue, const std::optional<SearchPath>& path,
    std::vector<std::shared_ptr<const CatalogueRelation>> own) const
{
    SearchPath names{{"public"}, true};
    if (path)
        names = *path;
    else if (catalogue)
        names.schemas = catalogue->search_path();
    std::ranges::replace(names.schemas, "$user", role_);
    return std::make_shared<Resolution>(catalogue, trusted_, std::move(names), std::move(own));
}

std::shared_ptr<SqlCache> SqlReadings::under(const std::shared_ptr<const Catalogue>& catalogue,
                                             const std::optional<SearchPath>& path)
{
    if (catalogue_ != catalogue) {
        catalogue_ = catalogue;
        caches_.clear();
    }
    const auto found =
        std::ranges::find_if(caches_, [&](const auto& entry) { return entry.first == path; });
    if (found != caches_.end())
        return found->second;
    if (caches_.size() == most_paths)
        caches_.erase(caches_.begin());
    auto made = std::make_shared<SqlCache>(resolution(catalogue, path), cache_limit);
    caches_.emplace_back(path, made);
    return made;
}

std::shared_ptr<SqlCache> SqlReadings::alone(
    const std::shared_ptr<const Catalogue>& catalogue, const std::optional<SearchPath>& path,
    std::vector<std::shared_ptr<const CatalogueRelation>> own) const
{
    return std::make_shared<SqlCache>(resolution(catalogue, path, std::move(own)),
                                      lone_cache_limit);
}

}  // namespace sallyport::postgres
