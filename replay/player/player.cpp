#include "replay/player/player.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sallyport {

Player::Player(Form& form, std::unique_ptr<Transcript> transcript, Pace pace)
    : form_(form), transcript_(std::move(transcript)), pace_(std::move(pace))
{
}

void Player::begin(const SessionSummary& session)
{
    form_.begin(session);
}

void Player::keep_pace(std::int64_t time_ms)
{
    const std::int64_t since = last_ms_ ? time_ms - *last_ms_ : 0;
    last_ms_ = time_ms;
    if (pace_.speed <= 0 || since <= 0 || !pace_.pause)
        return;
    std::chrono::milliseconds wait(since);
    if (pace_.idle_limit)
        wait = std::min(wait, *pace_.idle_limit);
    const std::chrono::duration<double, std::milli> scaled(static_cast<double>(wait.count()) /
                                                           pace_.speed);
    pace_.pause(std::chrono::duration_cast<std::chrono::milliseconds>(scaled));
}

void Player::show(const RecordedEvent& event)
{
    if (event.payload.empty())
        return;
    form_.shows(event);
    if (transcript_)
        transcript_->shown(event.command, bytes_of(event.payload), form_);
    else
        form_.aside(
            fmt::format("{} bytes of a protocol this program does not know", event.payload.size()));
}

void Player::play(const RecordedEvent& event)
{
    keep_pace(event.time_ms);
    switch (event.kind) {
    case EventKind::session_opened: form_.opened(event); break;
    case EventKind::command_decided: {
        std::vector<ShownParameter> parameters;
        if (transcript_)
            parameters = transcript_->parameters(bytes_of(event.payload));
        form_.decided(event, parameters);
        break;
    }
    case EventKind::output_shown: show(event); break;
    case EventKind::command_ended:
        show(event);
        form_.shows(event);
        if (transcript_)
            transcript_->ended(event.command, form_);
        form_.ended(event);
        break;
    default: form_.other(event); break;
    }
}

void Player::end()
{
    form_.end();
}

}  // namespace sallyport
