// The shipper's side of the store: everything it asks there, and the one transaction it writes.

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/store/framer.h"
#include "audit/store/shipment.h"
#include "audit/store/store_connection.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

// Who writes: one start of one gateway.
struct WriterIdentity {
    std::string gateway;
    std::string version;  // of the program
    Uuid boot;
    std::array<std::byte, 32> public_key{};
};

// Where in a shipment's way a test may strike.
enum class ShipmentStep : std::uint8_t { begun, copied, projected, committed };

class StoreWriter final : public SessionHeads {
public:
    // What the store knew of the gateway when this start of it first connected.
    struct Earlier {
        std::optional<Uuid> journal;  // absent: it has never shipped anything
        Position position = 0;        // how far that journal is in the store
        std::optional<LostBoot> last_boot;
        bool stopped = false;  // that boot's last word was gateway_stopped
    };

    // `interrupt` as in StoreConnection.
    StoreWriter(WriterIdentity identity, Secret dsn, int interrupt)
        : identity_(std::move(identity)), dsn_(std::move(dsn)), interrupt_(interrupt)
    {
    }

    bool connected() const { return connection_ && connection_->usable(); }
    void disconnect() { connection_.reset(); }

    // Connects, makes the schema, takes the gateway's place as its only writer and registers this
    // start. Fault::unavailable where it may succeed later, Fault::refused where a person must act.
    Result<void> connect(StoreConnection::Deadline deadline);

    // Since the first connect().
    const Earlier& earlier() const { return earlier_; }

    // The journal whose positions are counted from now on.
    void count_positions_of(const Uuid& journal) { journal_ = journal; }

    // Whether the transaction that wrote the frame `last_wseq` is in the store: the question after
    // a lost acknowledgement.
    Result<bool> has(std::uint64_t last_wseq, StoreConnection::Deadline deadline);

    // All of it or nothing. `strike` is called at each step; false from it breaks the connection
    // there, for tests.
    Result<void> put(const Shipment& shipment, StoreConnection::Deadline deadline,
                     const std::function<bool(ShipmentStep)>& strike = {});

    // Of this gateway, left open by an earlier start.
    Result<std::vector<Uuid>> open_sessions(StoreConnection::Deadline deadline);

    Result<std::optional<SessionHead>> head_of(const Uuid& session) override;

    // How long head_of() may wait.
    void set_deadline(StoreConnection::Deadline deadline) { deadline_ = deadline; }

private:
    Result<void> register_writer(StoreConnection& store, StoreConnection::Deadline deadline);
    Result<void> learn_earlier(StoreConnection& store, StoreConnection::Deadline deadline);
    Result<void> ensure_days(const Shipment& shipment, StoreConnection::Deadline deadline);
    Result<void> ensure_day(std::int64_t day, StoreConnection::Deadline deadline);
    Result<void> write(const Shipment& shipment, StoreConnection::Deadline deadline,
                       const std::function<bool(ShipmentStep)>& strike);
    Result<void> copy_frames(const Shipment& shipment, StoreConnection::Deadline deadline);
    Result<void> copy_parts(const Shipment& shipment, StoreConnection::Deadline deadline);
    Result<void> project(const Shipment& shipment, StoreConnection::Deadline deadline);
    Result<void> move_position(const Shipment& shipment, StoreConnection::Deadline deadline);

    const WriterIdentity identity_;
    const Secret dsn_;
    const int interrupt_;
    std::optional<StoreConnection> connection_;
    StoreConnection::Deadline deadline_{};
    std::optional<int> writer_id_;
    Earlier earlier_;
    Uuid journal_;
    std::set<std::int64_t> days_;  // whose partitions are known to exist
    bool without_names_ = false;   // PostgreSQL refused the projection's texts
};

}  // namespace sallyport
