// One permitted command, from permission to outcome.
//
// An Exchange is both the permission and the record: only Session::begin() makes one, a protocol
// needs one to have its command forwarded, and everything shown to the client goes past it. One
// that is dropped before finish() enters the audit trail as abandoned. The Session outlives it.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/command.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class RunningSha256;
class Session;

class Exchange {
public:
    Exchange(Exchange&& other) noexcept;
    Exchange& operator=(Exchange&& other) noexcept;
    ~Exchange();

    // Records bytes going to the target after the command itself: COPY data, standard input, a
    // body. Copied at once, up to the recording's cap.
    void sent(Bytes bytes);

    // The same for bytes that may hold what the policy masks: counted and digested, not kept.
    void sent_unseen(Bytes bytes);

    // Records bytes the client is about to see, masked already. A view: valid until the next
    // permit_to_show() or finish().
    void shown(Bytes bytes);

    // Counts for the record.
    void count_rows(std::uint64_t rows) { rows_ += rows; }
    void count_masked(std::uint64_t values) { masked_ += values; }
    std::uint64_t rows() const { return rows_; }

    // Records how it ended. Called once.
    void finish(const Outcome& outcome);

    // The number of its record in the session, for refusals that come later.
    std::uint32_t number() const { return number_; }

private:
    friend class Session;
    Exchange(Session& session, std::uint32_t number);

    void abandon() noexcept;
    void leave_out(Bytes bytes);

    Session* session_;  // null once finished or moved from
    std::uint32_t number_;
    std::int64_t began_us_ = 0;
    std::uint64_t rows_ = 0;
    std::uint64_t masked_ = 0;
    std::uint64_t shown_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;
    std::uint64_t left_out_ = 0;                      // bytes of both, not recorded
    std::unique_ptr<RunningSha256> left_out_digest_;  // of these, in the order they passed
};

}  // namespace sallyport
