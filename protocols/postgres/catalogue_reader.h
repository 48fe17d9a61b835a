// Reads a target's catalogue over a connection of the gateway's own, and keeps the newest reading.

#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "gateway/targets/target.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/catalogue.h"
#include "protocols/postgres/derived_columns.h"

namespace sallyport::postgres {

// Counts the DDL that passed through this gateway to one connection's target. Shared by threads.
struct CatalogueChanges {
    std::atomic<std::uint64_t> count = 0;
    // Some session has sent values of columns that somebody's mask names to where no mask follows,
    // a notification's payload perhaps.
    std::atomic<bool> values_sunk = false;
};

// One for each thread and connection; used from that thread only.
//
// What changes through this gateway makes a reading useless at once. For what changes otherwise a
// reading is renewed in the background: after five seconds, or twenty times as long as it took,
// while statements come that need it. A statement waits for a reading where there is none, or the
// last one is older than that because no statement came. Where the target cannot be read, the last
// reading serves for five minutes.
class CatalogueSource {
public:
    // derived: what was copied where; null: nothing. snapshot_file: where each new reading is
    // saved, at most once a minute; empty: nowhere.
    CatalogueSource(std::shared_ptr<const Connection> connection,
                    std::shared_ptr<CatalogueChanges> changes,
                    std::shared_ptr<DerivedColumns> derived = nullptr,
                    std::string snapshot_file = {});

    // Null where nothing was read yet, DDL has passed or something new was copied since, or the
    // reading is too old. The same object until a reading finds something else.
    std::shared_ptr<const Catalogue> current() const;

    // The last reading, whatever has passed since; null where there was none.
    std::shared_ptr<const Catalogue> last() const;

    // Old enough to be renewed, and nobody is at it.
    bool ageing() const;

    // Begins a reading in the background, where none is under way and there was one before.
    void refresh();

    // Reads it anew, or waits for a reading already under way. A reading less than a second old is
    // given as it is unless DDL has passed since: a client that keeps asking for tables nobody
    // knows must not keep the target busy. Everything that had passed when this was called is in
    // what it gives.
    boost::asio::awaitable<Result<std::shared_ptr<const Catalogue>>> read();

    CatalogueChanges& changes() { return *changes_; }

private:
    struct State;  // outlives this where a reading is under way

    std::shared_ptr<CatalogueChanges> changes_;
    std::shared_ptr<State> state_;
};

}  // namespace sallyport::postgres
