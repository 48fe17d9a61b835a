// Texts and shapes already read: a hash table in front of a list in the order of use.

#include <array>
#include <cstring>
#include <list>
#include <random>
#include <unordered_map>

#include "protocols/postgres/sql_shape.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t folded(std::uint64_t a, std::uint64_t b)
{
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(const char* at, std::size_t size)
{
    std::uint64_t word = 0;
    std::memcpy(&word, at, size);
    return word;
}

// In the manner of wyhash: a 128-bit product for each 16 bytes. The seed is each cache's own, so
// that a client cannot prepare texts that collide.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed)
{
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
    std::uint64_t hash = seed ^ (text.size() * odd);
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 16; left -= 16, at += 16)
        hash = folded(word_at(at, 8) ^ odd ^ hash, word_at(at + 8, 8) ^ seed);
    const std::uint64_t low = word_at(at, left < 8 ? left : 8);
    const std::uint64_t high = left > 8 ? word_at(at + 8, left - 8) : 0;
    return folded(hash ^ low ^ odd, high ^ seed ^ 0xbf58476d1ce4e5b9);
}

// What an entry keeps in memory, roughly: allocations are rounded up.
std::size_t bytes_of(const Sql& sql)
{
    constexpr std::size_t allocation = 16;
    std::size_t bytes = 512 + sql.command->text.size() + sql.problem.size();
    for (const Action& action : sql.command->actions())
        bytes += sizeof action + action.object.size() + action.cause.size() + 2 * allocation;
    for (const Statement& statement : sql.statements()) {
        bytes += sizeof statement;
        for (const std::string& name : statement.functions)
            bytes += sizeof name + name.size();
        const Lineage& lineage = *statement.lineage;
        bytes +=
            sizeof lineage + (lineage.values.size() + lineage.conditions.size()) * sizeof(void*);
        for (const OutputColumn& output : lineage.outputs)
            bytes += sizeof output + output.name.size() + output.sources.size() * sizeof(void*);
        for (const Flow& flow : lineage.flows)
            bytes += sizeof flow + 2 * allocation + flow.sources.size() * sizeof(void*);
        for (const std::string& name : statement.settings)
            bytes += sizeof name + name.size();
        for (const std::string& name : statement.copy.columns)
            bytes += sizeof name + name.size();
    }
    return bytes;
}

}  // namespace

struct SqlCache::Index {
    struct Entry {
        std::uint64_t hash;
        bool is_shape;  // key: a shape; else a text
        std::string key;
        std::size_t bytes;
        std::shared_ptr<const Sql> sql;
    };
    struct AsItIs {
        std::size_t operator()(std::uint64_t hash) const { return hash; }
    };
    using Entries = std::list<Entry>;

    std::shared_ptr<const Sql> find(std::string_view key, std::uint64_t hash, bool is_shape);
    void keep(std::string_view key, std::uint64_t hash, bool is_shape,
              const std::shared_ptr<const Sql>& sql);
    void forget(std::unordered_map<std::uint64_t, Entries::iterator, AsItIs>::iterator found);

    std::size_t limit = 0;
    std::size_t used = 0;
    std::uint64_t seed = 0;
    Entries entries;  // the most recently used first
    std::unordered_map<std::uint64_t, Entries::iterator, AsItIs> by_hash;
    std::string shape;  // kept for its space
};

std::shared_ptr<const Sql> SqlCache::Index::find(std::string_view key, std::uint64_t hash,
                                                 bool is_shape)
{
    const auto found = by_hash.find(hash);
    if (found == by_hash.end() || found->second->is_shape != is_shape || found->second->key != key)
        return nullptr;
    entries.splice(entries.begin(), entries, found->second);
    return found->second->sql;
}

void SqlCache::Index::keep(std::string_view key, std::uint64_t hash, bool is_shape,
                           const std::shared_ptr<const Sql>& sql)
{
    const std::size_t bytes = key.size() + bytes_of(*sql);
    // A text this large is seldom sent twice, and would push out hundreds of others.
    if (bytes > limit / 16)
        return;
    // Two keys of one hash: the newer one takes the place.
    if (const auto found = by_hash.find(hash); found != by_hash.end())
        forget(found);
    entries.push_front({hash, is_shape, std::string(key), bytes, sql});
    by_hash.emplace(hash, entries.begin());
    used += bytes;
    while (used > limit)
        forget(by_hash.find(entries.back().hash));
}

void SqlCache::Index::forget(
    std::unordered_map<std::uint64_t, Entries::iterator, AsItIs>::iterator found)
{
    used -= found->second->bytes;
    entries.erase(found->second);
    by_hash.erase(found);
}

SqlCache::SqlCache(std::shared_ptr<Resolution> names, std::size_t byte_limit)
    : names_(std::move(names)), index_(std::make_unique<Index>())
{
    std::random_device random;
    index_->limit = byte_limit;
    index_->seed = (static_cast<std::uint64_t>(random()) << 32 | random()) | 1;
}

SqlCache::~SqlCache() = default;

std::shared_ptr<const Sql> SqlCache::find_or_read(std::string_view text)
{
    Index& index = *index_;
    const std::uint64_t hash = hash_of(text, index.seed);
    if (auto sql = index.find(text, hash, false))
        return sql;

    const bool has_shape = shape_of(text, index.shape);
    const std::uint64_t shape_hash = has_shape ? hash_of(index.shape, ~index.seed) : 0;
    if (has_shape) {
        if (const auto like = index.find(index.shape, shape_hash, true)) {
            auto command = std::make_shared<Command>(*like->command);
            command->text = text;
            auto sql = std::make_shared<Sql>(*like);
            sql->command = std::move(command);
            return sql;
        }
    }

    auto sql = read_sql(text, names_);
    // What its later statements' names mean is as large as what they make: not counted here.
    if (!sql->later_names.empty())
        return sql;
    if (has_shape && sql->same_for_any_numbers)
        index.keep(index.shape, shape_hash, true, sql);
    else
        index.keep(text, hash, false, sql);
    return sql;
}

}  // namespace sallyport::postgres
