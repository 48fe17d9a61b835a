#include "replay/player/times.h"

#include <chrono>
#include <fmt/format.h>

namespace sallyport {

namespace {

namespace chr = std::chrono;

// Takes an unsigned number of one to `most` digits from the front.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t most)
{
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < most && digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        number = number * 10 + (text[digits++] - '0');
    if (digits == 0)
        return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, char expected)
{
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> read_ago(std::string_view text)
{
    const auto count = take_number(text, 9);
    if (!count || text.size() != 1)
        return std::nullopt;
    switch (text[0]) {
    case 's': return *count * 1000;
    case 'm': return *count * 60'000;
    case 'h': return *count * 3'600'000;
    case 'd': return *count * 86'400'000;
    default: return std::nullopt;
    }
}

// The part behind the day: "10:00", "10:00:00", "10:00:00.5". Milliseconds of the day.
std::optional<std::int64_t> read_time_of_day(std::string_view& text)
{
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':'))
        return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59)
        return std::nullopt;
    std::int64_t ms = (*hour * 60 + *minute) * 60'000;
    if (!take(text, ':'))
        return ms;
    const auto second = take_number(text, 2);
    if (!second || *second > 59)
        return std::nullopt;
    ms += *second * 1000;
    if (!take(text, '.'))
        return ms;
    const std::size_t before = text.size();
    auto fraction = take_number(text, 3);
    if (!fraction)
        return std::nullopt;
    for (std::size_t digits = before - text.size(); digits < 3; ++digits)
        *fraction *= 10;
    return ms + *fraction;
}

}  // namespace

std::string moment_text(std::int64_t ms)
{
    const chr::sys_time<chr::milliseconds> moment{chr::milliseconds(ms)};
    const auto day = chr::floor<chr::days>(moment);
    const chr::year_month_day date(day);
    const chr::hh_mm_ss time(moment - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                       unsigned(date.month()), unsigned(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string clock_text(std::int64_t ms)
{
    const std::uint64_t size =
        ms < 0 ? ~static_cast<std::uint64_t>(ms) + 1 : static_cast<std::uint64_t>(ms);
    return fmt::format("{}{:02}:{:02}:{:02}.{:03}", ms < 0 ? "-" : "", size / 3'600'000,
                       size / 60'000 % 60, size / 1000 % 60, size % 1000);
}

std::string duration_text(std::uint64_t us)
{
    if (us < 1000)
        return fmt::format("{} µs", us);
    if (us < 1'000'000)
        return fmt::format("{:.1f} ms", static_cast<double>(us) / 1000);
    if (us < 60'000'000)
        return fmt::format("{:.1f} s", static_cast<double>(us) / 1'000'000);
    const std::uint64_t minutes = us / 60'000'000;
    if (minutes < 60)
        return fmt::format("{} m {} s", minutes, us / 1'000'000 % 60);
    return fmt::format("{} h {} m", minutes / 60, minutes % 60);
}

std::optional<std::int64_t> read_moment(std::string_view text, std::int64_t now_ms)
{
    if (const auto ago = read_ago(text))
        return now_ms - *ago;
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-'))
        return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-'))
        return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day)
        return std::nullopt;
    const chr::year_month_day date(chr::year(static_cast<int>(*year)),
                                   chr::month(static_cast<unsigned>(*month)),
                                   chr::day(static_cast<unsigned>(*day)));
    if (!date.ok())
        return std::nullopt;
    std::int64_t ms = chr::sys_days(date).time_since_epoch() / chr::milliseconds(1);
    if (take(text, 'T') || take(text, ' ')) {
        const auto of_day = read_time_of_day(text);
        if (!of_day)
            return std::nullopt;
        ms += *of_day;
        (void)take(text, 'Z');  // it is UTC with or without
    }
    if (!text.empty())
        return std::nullopt;
    return ms;
}

}  // namespace sallyport
