// Texts already read: a hash table of fixed size in front of a list in the order of use.

#include <array>
#include <cstring>
#include <list>
#include <random>
#include <unordered_map>

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
    for (const Action& action : sql.command->actions)
        bytes += sizeof action + action.object.size() + action.cause.size() + 2 * allocation;
    for (const Statement& statement : sql.statements) {
        bytes += sizeof statement;
        for (const RelationName& relation : statement.mentions.relations)
            bytes += sizeof relation + relation.schema.size() + relation.name.size();
        for (const std::string& name : statement.mentions.columns)
            bytes += sizeof name + name.size();
        for (const std::string& name : statement.mentions.functions)
            bytes += sizeof name + name.size();
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
        std::string text;
        std::size_t bytes;
        std::shared_ptr<const Sql> sql;
    };
    struct AsItIs {
        std::size_t operator()(std::uint64_t hash) const { return hash; }
    };

    std::vector<std::string> trusted_functions;
    std::size_t limit;
    std::size_t used = 0;
    std::uint64_t seed;
    std::list<Entry> entries;  // the most recently used first
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator, AsItIs> by_hash;
};

SqlCache::SqlCache(std::vector<std::string> trusted_functions, std::size_t byte_limit)
    : index_(std::make_unique<Index>())
{
    std::random_device random;
    index_->trusted_functions = std::move(trusted_functions);
    index_->limit = byte_limit;
    index_->seed = (static_cast<std::uint64_t>(random()) << 32 | random()) | 1;
}

SqlCache::~SqlCache() = default;

std::shared_ptr<const Sql> SqlCache::find_or_read(std::string_view text)
{
    Index& index = *index_;
    const std::uint64_t hash = hash_of(text, index.seed);
    const auto found = index.by_hash.find(hash);
    if (found != index.by_hash.end()) {
        const auto entry = found->second;
        if (entry->text == text) {
            index.entries.splice(index.entries.begin(), index.entries, entry);
            return entry->sql;
        }
        // Two texts of one hash: the newer one takes the place.
        index.used -= entry->bytes;
        index.entries.erase(entry);
        index.by_hash.erase(found);
    }
    auto sql = read_sql(text, index.trusted_functions);
    const std::size_t bytes = text.size() + bytes_of(*sql);
    // A text this large is seldom sent twice, and would push out hundreds of others.
    if (bytes > index.limit / 16)
        return sql;
    index.entries.push_front({hash, std::string(text), bytes, sql});
    index.by_hash.emplace(hash, index.entries.begin());
    index.used += bytes;
    while (index.used > index.limit) {
        const auto oldest = std::prev(index.entries.end());
        index.used -= oldest->bytes;
        index.by_hash.erase(oldest->hash);
        index.entries.erase(oldest);
    }
    return sql;
}

}  // namespace sallyport::postgres
