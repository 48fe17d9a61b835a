// Where values of masked columns were copied to through this gateway: which columns now also hold
// what came from others. Masks follow them there.
//
// Kept for each connection in a file of the state directory, so that a mask outlives the gateway's
// restart: one JSON object a line, appended and made durable before the statement that copies is
// forwarded. Columns are remembered by name until a reading of the catalogue knows their OID, and
// by OID and attribute number from then on, so that renaming does not take a mask away. A column
// that nothing was copied to for a week, and that no reading knew for as long, is forgotten; one
// that was dropped and made again under its name is taken for the same.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

// Stands among places for values that nobody can trace.
inline constexpr std::string_view untraced_place = "?";

// Values of `places` go to a column.
struct DerivedColumn {
    std::string schema;  // "pg_temp": of a temporary table, which the session alone has to know
    std::string relation;
    std::string column;
    std::vector<std::string> places;  // "public.users.ssn"; sorted, unique

    bool operator==(const DerivedColumn&) const = default;
};

struct CatalogueParts;
struct CatalogueRelation;

// Shared by the threads that serve one connection; every call is safe from any of them.
class DerivedColumns {
public:
    // file: made when first written; empty: nothing is kept beyond this object's life.
    // Fault::unavailable where it is there and cannot be read: then nobody may be served, for masks
    // could be missing.
    static Result<std::unique_ptr<DerivedColumns>> open(std::string file);

    // What the file says now, for a process that does not own it: nothing is ever written to it.
    static Result<std::unique_ptr<DerivedColumns>> open_read_only(const std::string& file);

    DerivedColumns(const DerivedColumns&) = delete;
    DerivedColumns& operator=(const DerivedColumns&) = delete;

    // Remembers it. Changed or not: true where something was new. Durable once this returns; blocks
    // for as long as the disk takes (only where something is new). Fault::unrecorded where it could
    // not be kept, Fault::limit where it is more than is remembered: the statement must not be
    // forwarded.
    Result<bool> add(const std::vector<DerivedColumn>& derived);

    // Takes an add() back: what it copied was rolled back. What another add() has asked for as well
    // stays. A file that cannot be written now says too much until it can.
    void take_back(const std::vector<DerivedColumn>& derived);

    // Gives names the OIDs that the catalogue has for them, and OIDs their new names. What cannot
    // be written now is written with the next add().
    void bind(const CatalogueParts& parts,
              std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

    // What was copied into a column, in no order; empty: nothing.
    std::vector<std::string> places_of(const CatalogueRelation& relation, int attribute) const;

    bool empty() const { return count_ == 0; }

    // Counts the changes, so that a Catalogue made before one can be told from one made after.
    std::uint64_t version() const { return version_; }

private:
    struct Kept {
        DerivedColumn column;
        std::uint32_t oid = 0;
        int attribute = 0;
        std::chrono::steady_clock::time_point added;  // when something was last copied to it
        std::chrono::steady_clock::time_point seen;   // the same, or when a reading knew it
    };
    class Relations;

    explicit DerivedColumns(std::string file) : file_(std::move(file)) {}

    static Result<std::unique_ptr<DerivedColumns>> load(std::string file, bool read_only);
    static std::string line_of(const Kept& kept);

    Result<void> take(std::string_view line);
    void absorb(Kept found);
    Kept* named(const DerivedColumn& column);
    void index();
    static bool bind_by_name(Kept& kept, const Relations& relations,
                             std::chrono::steady_clock::time_point now);
    bool forget_and_join(std::chrono::steady_clock::time_point now);
    Result<void> write(std::string_view lines, bool durable);
    Result<void> rewrite(std::string_view more);

    std::string file_;
    mutable std::mutex mutex_;  // of everything below
    std::vector<Kept> kept_;
    std::unordered_map<std::uint64_t, std::size_t> by_attribute_;            // in kept_
    std::unordered_map<std::string, std::vector<std::size_t>> by_relation_;  // likewise
    // How often each place of a column was asked for, where that is known.
    std::unordered_map<std::string, std::size_t> asked_;
    std::size_t places_ = 0;
    std::size_t size_ = 0;  // of the file
    bool spoilt_ = false;   // the file has to be written anew
    // Read without the lock, which is held while the disk is waited for.
    std::atomic<std::size_t> count_ = 0;
    std::atomic<std::uint64_t> version_ = 0;
};

}  // namespace sallyport::postgres
