#include "gateway/session/exchange.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "gateway/digest/digest.h"
#include "gateway/session/session_parts.h"

namespace sallyport {

namespace {

// Bytes of one command's output, and of its input, that are recorded; the rest is counted and
// digested (docs/audit-format.md).
constexpr std::uint64_t recording_cap = std::uint64_t{1} << 20;

std::int64_t now_us()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Exchange::Exchange(Session& session, std::uint32_t number)
    : session_(&session), number_(number), began_us_(now_us())
{
}

Exchange::Exchange(Exchange&& other) noexcept
    : session_(std::exchange(other.session_, nullptr)),
      number_(other.number_),
      began_us_(other.began_us_),
      rows_(other.rows_),
      masked_(other.masked_),
      shown_bytes_(other.shown_bytes_),
      sent_bytes_(other.sent_bytes_),
      left_out_(other.left_out_),
      left_out_digest_(std::move(other.left_out_digest_))
{
}

Exchange& Exchange::operator=(Exchange&& other) noexcept
{
    if (this != &other) {
        abandon();
        std::destroy_at(this);
        std::construct_at(this, std::move(other));
    }
    return *this;
}

Exchange::~Exchange()
{
    abandon();
}

void Exchange::abandon() noexcept
{
    if (session_ != nullptr)
        finish(Outcome{false, "abandoned"});
}

void Exchange::sent(Bytes bytes)
{
    const std::uint64_t room = recording_cap - std::min(recording_cap, sent_bytes_);
    sent_bytes_ += bytes.size();
    const Bytes kept =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
    if (kept.size() < bytes.size())
        leave_out(bytes.subspan(kept.size()));
    if (kept.empty())
        return;
    session_->show_pending();
    Event event{.kind = EventKind::input_sent};
    event.command = number_;
    event.payload = std::span(&kept, 1);
    (void)session_->append(event);  // a failure is kept and ends the session at the next permit
}

void Exchange::shown(Bytes bytes)
{
    Session::Parts& parts = *session_->parts_;
    if (parts.pending_command != number_)
        session_->show_pending();
    parts.pending_command = number_;
    const std::uint64_t room = recording_cap - std::min(recording_cap, shown_bytes_);
    shown_bytes_ += bytes.size();
    const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size()));
    if (kept > 0)
        parts.pending.push_back(bytes.first(kept));
    if (kept < bytes.size())
        leave_out(bytes.subspan(kept));
}

void Exchange::sent_unseen(Bytes bytes)
{
    sent_bytes_ += bytes.size();
    leave_out(bytes);
}

void Exchange::leave_out(Bytes bytes)
{
    if (!left_out_digest_)
        left_out_digest_ = std::make_unique<RunningSha256>();
    left_out_digest_->add(bytes);
    left_out_ += bytes.size();
}

void Exchange::finish(const Outcome& outcome)
{
    Session& session = *std::exchange(session_, nullptr);
    Session::Parts& parts = *session.parts_;
    if (parts.pending_command != number_)
        session.show_pending();
    Event event{.kind = EventKind::command_ended};
    event.command = number_;
    event.succeeded = outcome.succeeded;
    event.text = outcome.summary;
    event.rows = rows_;
    event.masked_values = masked_;
    event.bytes = shown_bytes_;
    event.bytes_left_out = left_out_;
    event.duration_us = static_cast<std::uint64_t>(now_us() - began_us_);
    if (left_out_digest_)
        event.digest = left_out_digest_->finish();
    event.payload = parts.pending;
    (void)session.append(event);  // a failure is kept and ends the session at the next permit
    parts.pending.clear();
    parts.pending_command = 0;
}

}  // namespace sallyport
