// A journal in memory that keeps what it was given, and fails on request.

#pragma once

#include <string>
#include <vector>

#include "audit/trail/journal.h"

namespace sallyport {

class MemoryJournal final : public Journal {
public:
    struct Kept {
        EventKind kind;
        std::uint32_t number;
        std::uint32_t command;
        Decision decision;
        std::string text;
        std::string rule;
        std::string payload;
        std::uint64_t rows;
        std::uint64_t bytes_left_out;
        bool succeeded;
        bool digested;
    };

    Result<Position> append(const Event& event) override
    {
        if (full)
            return failure(Fault::unrecorded, "the journal is full");
        std::string payload;
        for (const Bytes piece : event.payload)
            payload += text_of(piece);
        kept.push_back({event.kind, event.number, event.command, event.decision,
                        std::string(event.text), std::string(event.rule), payload, event.rows,
                        event.bytes_left_out, event.succeeded, event.digest.has_value()});
        return kept.size();
    }

    Result<void> admits() const override
    {
        if (backlogged)
            return failure(Fault::unavailable, "the store is behind");
        return {};
    }

    boost::asio::awaitable<Result<void>> synced(Position position) override
    {
        synced_to.push_back(position);
        if (sync_fails)
            co_return failure(Fault::unrecorded, "fdatasync failed");
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<void>> committed(Position position) override
    {
        committed_to.push_back(position);
        co_return Result<void>();
    }

    std::vector<Kept> kept;
    std::vector<Position> synced_to;
    std::vector<Position> committed_to;
    bool full = false;
    bool backlogged = false;
    bool sync_fails = false;
};

}  // namespace sallyport
