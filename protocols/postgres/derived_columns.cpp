#include "protocols/postgres/derived_columns.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "gateway/state/state_file.h"
#include "protocols/postgres/catalogue.h"
#include "protocols/postgres/json_names.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t columns_limit = 100'000;
constexpr std::size_t places_limit = 1'000'000;
constexpr std::size_t name_limit = 1'000;  // bytes; of a place three times that
constexpr std::size_t file_limit = std::size_t{512} << 20;
constexpr std::uint64_t attribute_limit = 1664;  // MaxTupleAttributeNumber
constexpr std::chrono::hours forgotten_after{7 * 24};

std::string key_of(std::string_view schema, std::string_view relation)
{
    std::string key;
    key.reserve(schema.size() + relation.size() + 1);
    key.append(schema).append(1, '\0').append(relation);
    return key;
}

std::uint64_t key_of(std::uint32_t oid, int attribute)
{
    return std::uint64_t{oid} << 16 | static_cast<std::uint64_t>(attribute);
}

// From 1; zero where there is none of that name.
int attribute_named(const CatalogueRelation& relation, const std::string& name)
{
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(),
                     [&](const CatalogueColumn& column) { return column.name == name; });
    return found == relation.columns.end() ? 0
                                           : static_cast<int>(found - relation.columns.begin()) + 1;
}

void sort_unique(std::vector<std::string>& places)
{
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
}

// Both sorted and unique.
void merge(std::vector<std::string>& into, const std::vector<std::string>& places)
{
    std::vector<std::string> all;
    std::set_union(into.begin(), into.end(), places.begin(), places.end(), std::back_inserter(all));
    into = std::move(all);
}

bool is_name(const std::string& text)
{
    return !text.empty() && text.size() <= name_limit;
}

bool is_nameable(const DerivedColumn& column)
{
    return is_name(column.schema) && is_name(column.relation) && is_name(column.column) &&
           std::all_of(column.places.begin(), column.places.end(),
                       [](const std::string& place) { return place.size() <= 3 * name_limit; });
}

// What the statement adds, each column once.
std::vector<DerivedColumn> merged(const std::vector<DerivedColumn>& derived)
{
    std::map<std::tuple<std::string_view, std::string_view, std::string_view>, DerivedColumn> all;
    for (const DerivedColumn& one : derived) {
        if (one.places.empty())
            continue;
        auto& column = all[{one.schema, one.relation, one.column}];
        if (column.places.empty())
            column = one;
        else
            column.places.insert(column.places.end(), one.places.begin(), one.places.end());
    }
    std::vector<DerivedColumn> columns;
    columns.reserve(all.size());
    for (auto& [key, column] : all) {
        sort_unique(column.places);
        columns.push_back(std::move(column));
    }
    return columns;
}

std::string asking_of(const DerivedColumn& column, std::string_view place)
{
    std::string text = column.schema;
    text.append(1, '\0').append(column.relation).append(1, '\0').append(column.column);
    return text.append(1, '\0').append(place);
}

}  // namespace

// What a reading found, by OID and by name.
class DerivedColumns::Relations {
public:
    explicit Relations(const CatalogueParts& parts)
    {
        by_oid_.reserve(parts.relations.size());
        by_name_.reserve(parts.relations.size());
        for (const CatalogueRelation& relation : parts.relations) {
            by_oid_.emplace(relation.oid, &relation);
            by_name_[key_of(relation.schema, relation.name)].push_back(&relation);
        }
    }

    const CatalogueRelation* with(std::uint32_t oid) const
    {
        const auto found = by_oid_.find(oid);
        return found == by_oid_.end() ? nullptr : found->second;
    }

    // Null where relation or attribute is gone.
    const std::string* name_of(std::uint32_t oid, int attribute) const
    {
        const CatalogueRelation* relation = with(oid);
        if (relation == nullptr || attribute < 1 ||
            std::cmp_greater(attribute, relation->columns.size()))
            return nullptr;
        const std::string& name = relation->columns[static_cast<std::size_t>(attribute) - 1].name;
        return name.empty() ? nullptr : &name;
    }

    std::span<const CatalogueRelation* const> named(std::string_view schema,
                                                    std::string_view name) const
    {
        const auto found = by_name_.find(key_of(schema, name));
        if (found == by_name_.end())
            return {};
        return found->second;
    }

private:
    std::unordered_map<std::uint32_t, const CatalogueRelation*> by_oid_;
    std::unordered_map<std::string, std::vector<const CatalogueRelation*>> by_name_;
};

Result<std::unique_ptr<DerivedColumns>> DerivedColumns::open(std::string file)
{
    return load(std::move(file), false);
}

Result<std::unique_ptr<DerivedColumns>> DerivedColumns::open_read_only(const std::string& file)
{
    return load(file, true);
}

Result<std::unique_ptr<DerivedColumns>> DerivedColumns::load(std::string file, bool read_only)
{
    std::unique_ptr<DerivedColumns> made(new DerivedColumns(std::move(file)));
    if (made->file_.empty())
        return made;
    TRY(text, load_state_file(made->file_, file_limit));
    std::size_t lines = 0;
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; ++lines) {
        if (auto taken = made->take(rest.substr(0, end)); !taken)
            return failure(Fault::unavailable, "state file " + made->file_ + ", line " +
                                                   std::to_string(lines + 1) +
                                                   ", is broken: " + taken.error().detail);
        rest.remove_prefix(end + 1);
    }
    made->index();
    made->size_ = text ? text->size() : 0;
    if (read_only) {
        made->file_.clear();
    } else if (!rest.empty() || lines != made->kept_.size()) {
        // A last line without its end was being written when the machine died: the statement it
        // belongs to was not forwarded.
        TRY_DONE(made->rewrite({}));
    }
    return made;
}

std::string DerivedColumns::line_of(const Kept& kept)
{
    nlohmann::ordered_json line;
    line["schema"] = json_of_name(kept.column.schema);
    line["relation"] = json_of_name(kept.column.relation);
    line["column"] = json_of_name(kept.column.column);
    if (kept.oid != 0) {
        line["oid"] = kept.oid;
        line["attribute"] = kept.attribute;
    }
    nlohmann::ordered_json& places = line["places"] = nlohmann::ordered_json::array();
    for (const std::string& place : kept.column.places)
        places.push_back(nlohmann::ordered_json(json_of_name(place)));
    return line.dump() + '\n';
}

Result<void> DerivedColumns::take(std::string_view text)
{
    const auto broken = [](const char* why) { return failure(Fault::unavailable, why); };
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object())
        return broken("it is no JSON object");
    Kept kept;
    for (const auto& [key, into] :
         {std::pair("schema", &kept.column.schema), std::pair("relation", &kept.column.relation),
          std::pair("column", &kept.column.column)}) {
        const auto value = line.find(key);
        auto name = value == line.end() ? std::nullopt : name_in_json(*value);
        if (!name || name->empty())
            return broken("it does not name a column");
        *into = *std::move(name);
    }
    const auto oid = line.find("oid");
    const auto attribute = line.find("attribute");
    if (oid != line.end() || attribute != line.end()) {
        if (oid == line.end() || attribute == line.end() || !oid->is_number_unsigned() ||
            !attribute->is_number_unsigned() ||
            oid->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max() ||
            oid->get<std::uint64_t>() == 0 || attribute->get<std::uint64_t>() == 0 ||
            attribute->get<std::uint64_t>() > attribute_limit)
            return broken("its OID or attribute number is none");
        kept.oid = oid->get<std::uint32_t>();
        kept.attribute = attribute->get<int>();
    }
    const auto places = line.find("places");
    if (places == line.end() || !places->is_array())
        return broken("it has no places");
    for (const nlohmann::json& one : *places) {
        auto place = name_in_json(one);
        if (!place)
            return broken("a place is no text");
        kept.column.places.push_back(*std::move(place));
    }
    sort_unique(kept.column.places);
    absorb(std::move(kept));
    if (kept_.size() > columns_limit || places_ > places_limit)
        return broken("there are more than are remembered");
    return {};
}

// A line of the file, or what it would be: what is known of the column already gets it.
void DerivedColumns::absorb(Kept found)
{
    const auto now = std::chrono::steady_clock::now();
    Kept* known = nullptr;
    if (found.oid != 0) {
        const auto same = by_attribute_.find(key_of(found.oid, found.attribute));
        known = same == by_attribute_.end() ? nullptr : &kept_[same->second];
    }
    if (known == nullptr)
        known = named(found.column);
    if (known == nullptr) {
        kept_.push_back({});
        known = &kept_.back();
        by_relation_[key_of(found.column.schema, found.column.relation)].push_back(kept_.size() -
                                                                                   1);
    } else if (known->column.schema != found.column.schema ||
               known->column.relation != found.column.relation) {
        by_relation_[key_of(found.column.schema, found.column.relation)].push_back(
            static_cast<std::size_t>(known - kept_.data()));
    }
    if (found.oid != 0) {
        known->oid = found.oid;
        known->attribute = found.attribute;
        by_attribute_[key_of(found.oid, found.attribute)] =
            static_cast<std::size_t>(known - kept_.data());
    }
    known->column.schema = std::move(found.column.schema);
    known->column.relation = std::move(found.column.relation);
    known->column.column = std::move(found.column.column);
    known->seen = now;
    known->added = now;
    places_ -= known->column.places.size();
    merge(known->column.places, found.column.places);
    places_ += known->column.places.size();
    count_ = kept_.size();
}

DerivedColumns::Kept* DerivedColumns::named(const DerivedColumn& column)
{
    const auto found = by_relation_.find(key_of(column.schema, column.relation));
    if (found == by_relation_.end())
        return nullptr;
    for (const std::size_t at : found->second) {
        Kept& kept = kept_[at];
        // Names may have changed since they were put there.
        if (kept.column.schema == column.schema && kept.column.relation == column.relation &&
            kept.column.column == column.column)
            return &kept;
    }
    return nullptr;
}

void DerivedColumns::index()
{
    by_attribute_.clear();
    by_relation_.clear();
    places_ = 0;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
        const Kept& kept = kept_[i];
        if (kept.oid != 0)
            by_attribute_[key_of(kept.oid, kept.attribute)] = i;
        by_relation_[key_of(kept.column.schema, kept.column.relation)].push_back(i);
        places_ += kept.column.places.size();
    }
    count_ = kept_.size();
}

Result<bool> DerivedColumns::add(const std::vector<DerivedColumn>& derived)
{
    const std::vector<DerivedColumn> columns = merged(derived);
    const std::lock_guard lock(mutex_);
    std::vector<Kept> fresh;
    std::string lines;
    std::size_t more_columns = 0;
    std::size_t more_places = 0;
    for (const DerivedColumn& column : columns) {
        const Kept* before = named(column);
        for (const std::string& place : column.places) {
            const bool known =
                before != nullptr && std::ranges::binary_search(before->column.places, place);
            const auto [asked, is_new] = asked_.try_emplace(asking_of(column, place), 0);
            asked->second += is_new && known ? 2 : 1;
        }
    }
    for (const DerivedColumn& column : columns) {
        if (!is_nameable(column))
            return failure(Fault::limit,
                           "values of masked columns go to a column whose name is "
                           "none, or longer than any of PostgreSQL's");
        Kept* known = named(column);
        Kept next;
        next.column = column;
        if (known != nullptr) {
            known->seen = known->added = std::chrono::steady_clock::now();
            const auto& have = known->column.places;
            next.column.places.clear();
            std::set_difference(column.places.begin(), column.places.end(), have.begin(),
                                have.end(), std::back_inserter(next.column.places));
            if (next.column.places.empty())
                continue;
        }
        more_columns += known == nullptr ? 1 : 0;
        more_places += next.column.places.size();
        lines += line_of(next);
        fresh.push_back(std::move(next));
    }
    if (fresh.empty())
        return false;
    if (kept_.size() + more_columns > columns_limit || places_ + more_places > places_limit)
        return failure(Fault::limit,
                       "values of masked columns were copied to more columns than are remembered");
    if (auto written = write(lines, true); !written)
        return failure(Fault::unrecorded, written.error().detail);
    for (Kept& one : fresh)
        absorb(std::move(one));
    ++version_;
    return true;
}

void DerivedColumns::take_back(const std::vector<DerivedColumn>& derived)
{
    const std::vector<DerivedColumn> columns = merged(derived);
    const std::lock_guard lock(mutex_);
    bool changed = false;
    for (const DerivedColumn& column : columns) {
        Kept* known = named(column);
        for (const std::string& place : column.places) {
            const auto asked = asked_.find(asking_of(column, place));
            if (asked == asked_.end() || --asked->second > 0)
                continue;
            asked_.erase(asked);
            if (known != nullptr && std::erase(known->column.places, place) != 0)
                changed = true;
        }
    }
    if (!changed)
        return;
    std::erase_if(kept_, [](const Kept& kept) { return kept.column.places.empty(); });
    index();
    spoilt_ = true;
    ++version_;
}

void DerivedColumns::bind(const CatalogueParts& parts, std::chrono::steady_clock::time_point now)
{
    if (empty())
        return;
    const Relations relations(parts);
    const std::lock_guard lock(mutex_);
    std::string lines;
    std::vector<Kept> left_behind;
    for (Kept& kept : kept_) {
        const std::string* name = relations.name_of(kept.oid, kept.attribute);
        if (name == nullptr) {
            if (bind_by_name(kept, relations, now))
                lines += line_of(kept);
            continue;
        }
        kept.seen = now;
        const CatalogueRelation& relation = *relations.with(kept.oid);
        if (kept.column.schema == relation.schema && kept.column.relation == relation.name &&
            kept.column.column == *name)
            continue;
        // The copy may have gone to another one that took the name: in a transaction that renamed
        // the one and made the other.
        if (now - kept.added < forgotten_after) {
            left_behind.push_back(kept);
            left_behind.back().oid = 0;
        }
        kept.column.schema = relation.schema;
        kept.column.relation = relation.name;
        kept.column.column = *name;
        lines += line_of(kept);
    }
    for (Kept& kept : left_behind) {
        bind_by_name(kept, relations, now);
        lines += line_of(kept);
        kept_.push_back(std::move(kept));
    }
    if (forget_and_join(now) || spoilt_)
        spoilt_ = !rewrite({});
    else if (!lines.empty())
        spoilt_ = !write(lines, false) || spoilt_;
}

// True where it has got an OID, or another one.
bool DerivedColumns::bind_by_name(Kept& kept, const Relations& relations,
                                  std::chrono::steady_clock::time_point now)
{
    for (const CatalogueRelation* relation :
         relations.named(kept.column.schema, kept.column.relation)) {
        const int attribute = attribute_named(*relation, kept.column.column);
        if (attribute == 0)
            continue;
        kept.seen = now;
        kept.oid = relation->oid;
        kept.attribute = attribute;
        return true;
    }
    return false;
}

// Forgets what nobody has seen for long, and makes one of what turned out to be the same column.
// True where there is less than the file has lines for.
bool DerivedColumns::forget_and_join(std::chrono::steady_clock::time_point now)
{
    const std::size_t before = kept_.size();
    std::map<std::tuple<std::uint64_t, std::string, std::string>, std::size_t> first;
    std::vector<Kept> left;
    left.reserve(before);
    for (Kept& kept : kept_) {
        if (now - kept.seen >= forgotten_after)
            continue;
        const auto [same, fresh] =
            kept.oid != 0
                ? first.try_emplace({key_of(kept.oid, kept.attribute), "", ""}, left.size())
                : first.try_emplace(
                      {0, key_of(kept.column.schema, kept.column.relation), kept.column.column},
                      left.size());
        if (fresh) {
            left.push_back(std::move(kept));
            continue;
        }
        Kept& one = left[same->second];
        merge(one.column.places, kept.column.places);
        one.added = std::max(one.added, kept.added);
    }
    kept_ = std::move(left);
    index();
    return kept_.size() != before;
}

std::vector<std::string> DerivedColumns::places_of(const CatalogueRelation& relation,
                                                   int attribute) const
{
    std::vector<std::string> places;
    if (empty() || attribute < 1 || std::cmp_greater(attribute, relation.columns.size()))
        return places;
    const std::string& column = relation.columns[static_cast<std::size_t>(attribute) - 1].name;
    const std::lock_guard lock(mutex_);
    const auto add = [&places](const Kept& kept) {
        places.insert(places.end(), kept.column.places.begin(), kept.column.places.end());
    };
    const Kept* bound = nullptr;
    if (const auto found = by_attribute_.find(key_of(relation.oid, attribute));
        found != by_attribute_.end()) {
        bound = &kept_[found->second];
        add(*bound);
    }
    // By name as well where it has an OID: a reading that began earlier may have given it one that
    // is gone by now.
    const auto named = by_relation_.find(key_of(relation.schema, relation.name));
    if (named == by_relation_.end())
        return places;
    for (const std::size_t at : named->second)
        if (&kept_[at] != bound && kept_[at].column.column == column &&
            kept_[at].column.relation == relation.name &&
            kept_[at].column.schema == relation.schema)
            add(kept_[at]);
    return places;
}

Result<void> DerivedColumns::write(std::string_view lines, bool durable)
{
    if (file_.empty())
        return {};
    if (!spoilt_ && size_ + lines.size() <= file_limit) {
        auto appended = append_to_state_file(file_, lines, size_, durable, spoilt_);
        if (appended) {
            size_ += lines.size();
            return {};
        }
        if (!spoilt_)
            return appended;
    }
    return rewrite(lines);
}

// Everything that is kept, a line each, and more.
Result<void> DerivedColumns::rewrite(std::string_view more)
{
    if (file_.empty())
        return {};
    std::string text;
    for (const Kept& kept : kept_)
        text += line_of(kept);
    text += more;
    if (text.size() > file_limit)
        return failure(Fault::limit, "state file " + file_ + " would become too long");
    spoilt_ = true;
    TRY_DONE(replace_state_file(file_, text));
    size_ = text.size();
    spoilt_ = false;
    return {};
}

}  // namespace sallyport::postgres
