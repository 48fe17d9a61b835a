// Reads a target's catalogue over a connection of the gateway's own, and keeps the newest reading.

#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "gateway/targets/target.h"
#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {

// Counts the DDL that passed through this gateway to one connection's target. Shared by threads.
struct CatalogueChanges {
    std::atomic<std::uint64_t> count = 0;
};

// One for each thread and connection; used from that thread only.
class CatalogueSource {
public:
    CatalogueSource(std::shared_ptr<const Connection> connection,
                    std::shared_ptr<CatalogueChanges> changes);

    // Null where nothing was read yet, DDL has passed since, or the reading is older than a minute.
    std::shared_ptr<const Catalogue> current() const;

    // Reads it anew, or waits for a reading already under way. A reading less than a second old is
    // given as it is unless DDL has passed since: a client that keeps asking for tables nobody
    // knows must not keep the target busy.
    boost::asio::awaitable<Result<std::shared_ptr<const Catalogue>>> read();

    CatalogueChanges& changes() { return *changes_; }

private:
    std::shared_ptr<const Connection> connection_;
    std::shared_ptr<CatalogueChanges> changes_;
    std::shared_ptr<const Catalogue> newest_;
    std::uint64_t newest_count_ = 0;
    std::chrono::steady_clock::time_point read_at_{};
    std::shared_ptr<boost::asio::steady_timer> reading_;  // others wait on it; null: nobody reads
};

}  // namespace sallyport::postgres
