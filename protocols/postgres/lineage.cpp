#include "protocols/postgres/lineage.h"

#include <algorithm>
#include <functional>
#include <iterator>

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

bool remove(Sources& from, const CatalogueColumn* column)
{
    const auto at = std::lower_bound(from.begin(), from.end(), column);
    if (at == from.end() || *at != column)
        return false;
    from.erase(at);
    return true;
}

const CatalogueColumn* untraced()
{
    static const CatalogueColumn column;
    return &column;
}

std::string place_of(std::string_view schema, std::string_view relation, std::string_view column)
{
    std::string place;
    place.reserve(schema.size() + relation.size() + column.size() + 2);
    place.append(schema).append(1, '.').append(relation).append(1, '.').append(column);
    return place;
}

bool Flows::add(Flow flow)
{
    constexpr std::size_t most_sources = 200'000;
    if (flow.sources.empty())
        return false;
    if (sources_ + flow.sources.size() > most_sources)
        flow.sources = {untraced()};
    if (Flow* same = into(flow)) {
        const std::size_t before = same->sources.size();
        postgres::add(same->sources, flow.sources);
        sources_ += same->sources.size() - before;
        return same->sources.size() != before;
    }
    sources_ += flow.sources.size();
    flows_.push_back(std::move(flow));
    if (!places_.empty())
        places_.emplace(
            place_of(flows_.back().schema, flows_.back().relation, flows_.back().column),
            flows_.size() - 1);
    return true;
}

bool Flows::add(const Flows& more)
{
    bool added = false;
    for (const Flow& flow : more)
        added = add(flow) || added;
    return added;
}

Flow* Flows::into(const Flow& same)
{
    constexpr std::size_t few = 16;
    if (flows_.size() < few) {
        const auto found = std::ranges::find_if(flows_, [&](const Flow& known) {
            return known.column == same.column && known.relation == same.relation &&
                   known.schema == same.schema;
        });
        return found == flows_.end() ? nullptr : &*found;
    }
    if (places_.empty())
        index();
    const auto found = places_.find(place_of(same.schema, same.relation, same.column));
    return found == places_.end() ? nullptr : &flows_[found->second];
}

void Flows::index()
{
    for (std::size_t i = 0; i < flows_.size(); ++i)
        places_.emplace(place_of(flows_[i].schema, flows_[i].relation, flows_[i].column), i);
}

void Flows::drop_empty()
{
    if (std::erase_if(flows_, [](const Flow& flow) { return flow.sources.empty(); }) != 0)
        places_.clear();
}

void sort_unique(std::vector<RelationUse>& uses)
{
    std::ranges::sort(uses, [](const RelationUse& a, const RelationUse& b) {
        return a.relation != b.relation ? std::less<>()(a.relation, b.relation) : a.use < b.use;
    });
    const auto same = std::ranges::unique(uses);
    uses.erase(same.begin(), same.end());
}

bool is_followed_key(const CatalogueRelation& relation, std::string_view column)
{
    return std::ranges::any_of(relation.references, [&](const CatalogueReference& reference) {
        if (reference.on_update == 'a' || reference.on_update == 'r')
            return false;
        return std::ranges::any_of(reference.referenced, [&](std::uint32_t attribute) {
            return attribute >= 1 && attribute <= relation.columns.size() &&
                   relation.columns[attribute - 1].name == column;
        });
    });
}

bool Lineage::mentions(const CatalogueColumn* column) const
{
    const auto among = [column](const Sources& sources) {
        return std::binary_search(sources.begin(), sources.end(), column);
    };
    return among(values) || among(conditions) || among(unused) || among(sunk);
}

void Lineage::show_written()
{
    if (flows.empty())
        return;
    std::unordered_map<std::string_view, const Sources*> into;
    std::vector<std::string> places;
    places.reserve(flows.size());
    for (const Flow& flow : flows) {
        places.push_back(place_of(flow.schema, flow.relation, flow.column));
        into.emplace(places.back(), &flow.sources);
    }
    const auto show = [&](Sources& shown) {
        // What is added may have been written in turn.
        Sources next = shown;
        while (!next.empty()) {
            Sources brought;
            for (const CatalogueColumn* column : next) {
                for (const std::string& place : column->places) {
                    const auto flow = into.find(place);
                    if (flow != into.end())
                        add(brought, *flow->second);
                }
            }
            next.clear();
            std::ranges::set_difference(brought, shown, std::back_inserter(next));
            add(shown, brought);
        }
    };
    for (OutputColumn& output : outputs) {
        const std::size_t before = output.sources.size();
        show(output.sources);
        output.plain = output.plain && output.sources.size() == before;
    }
    show(values);
    show(sunk);
}

}  // namespace sallyport::postgres
