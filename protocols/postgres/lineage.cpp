#include "protocols/postgres/lineage.h"

#include <algorithm>

namespace sallyport::postgres {

void add(Sources& into, const CatalogueColumn* column)
{
    const auto at = std::lower_bound(into.begin(), into.end(), column);
    if (at == into.end() || *at != column)
        into.insert(at, column);
}

void add(Sources& into, const Sources& more)
{
    if (more.empty() || &into == &more)
        return;
    if (into.empty()) {
        into = more;
        return;
    }
    if (more.size() == 1) {
        add(into, more.front());
        return;
    }
    Sources both;
    both.reserve(into.size() + more.size());
    std::set_union(into.begin(), into.end(), more.begin(), more.end(), std::back_inserter(both));
    into = std::move(both);
}

const CatalogueColumn* untraced()
{
    static const CatalogueColumn column;
    return &column;
}

bool Lineage::mentions(const CatalogueColumn* column) const
{
    const auto among = [column](const Sources& sources) {
        return std::binary_search(sources.begin(), sources.end(), column);
    };
    return among(values) || among(conditions) || among(unused) || among(sunk);
}

}  // namespace sallyport::postgres
