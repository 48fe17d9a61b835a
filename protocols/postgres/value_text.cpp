#include "protocols/postgres/value_text.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <vector>

#include "gateway/digest/digest.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/utf8.h"

namespace sallyport::postgres {

namespace {

enum Type : std::uint32_t {
    bool_type = 16,
    bytea_type = 17,
    char_type = 18,
    name_type = 19,
    int8_type = 20,
    int2_type = 21,
    int4_type = 23,
    text_type = 25,
    oid_type = 26,
    json_type = 114,
    xml_type = 142,
    float4_type = 700,
    float8_type = 701,
    unknown_type = 705,
    money_type = 790,
    bpchar_type = 1042,
    varchar_type = 1043,
    date_type = 1082,
    time_type = 1083,
    timestamp_type = 1114,
    timestamptz_type = 1184,
    interval_type = 1186,
    timetz_type = 1266,
    numeric_type = 1700,
    uuid_type = 2950,
    jsonb_type = 3802,
};

struct Known {
    std::uint32_t type;
    std::string_view name;
};

constexpr Known known_types[] = {
    {bool_type, "bool"},
    {bytea_type, "bytea"},
    {char_type, "char"},
    {name_type, "name"},
    {int8_type, "int8"},
    {int2_type, "int2"},
    {int4_type, "int4"},
    {text_type, "text"},
    {oid_type, "oid"},
    {json_type, "json"},
    {xml_type, "xml"},
    {600, "point"},
    {650, "cidr"},
    {float4_type, "float4"},
    {float8_type, "float8"},
    {unknown_type, "unknown"},
    {money_type, "money"},
    {829, "macaddr"},
    {869, "inet"},
    {1000, "bool[]"},
    {1001, "bytea[]"},
    {1005, "int2[]"},
    {1007, "int4[]"},
    {1009, "text[]"},
    {1015, "varchar[]"},
    {1016, "int8[]"},
    {1021, "float4[]"},
    {1022, "float8[]"},
    {bpchar_type, "bpchar"},
    {varchar_type, "varchar"},
    {date_type, "date"},
    {time_type, "time"},
    {timestamp_type, "timestamp"},
    {1115, "timestamp[]"},
    {timestamptz_type, "timestamptz"},
    {1185, "timestamptz[]"},
    {interval_type, "interval"},
    {1231, "numeric[]"},
    {timetz_type, "timetz"},
    {1560, "bit"},
    {1562, "varbit"},
    {numeric_type, "numeric"},
    {2205, "regclass"},
    {2278, "void"},
    {uuid_type, "uuid"},
    {2951, "uuid[]"},
    {jsonb_type, "jsonb"},
    {3807, "jsonb[]"},
};

std::uint64_t u64(BodyReader& reader)
{
    const std::uint64_t high = reader.u32();
    return high << 32 | reader.u32();
}

struct Day {
    std::int64_t year;
    int month;
    int day;
};

// The proleptic Gregorian calendar, from days since 1970-01-01 (Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms").
Day civil_from_days(std::int64_t days)
{
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t of_era = days - era * 146097;
    const std::int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * of_year + 2) / 153;
    const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            static_cast<int>(of_year - (153 * shifted_month + 2) / 5 + 1)};
}

constexpr std::int64_t days_to_2000 = 10957;
constexpr std::int64_t us_per_day = 86'400'000'000;

std::string date_text(std::int64_t days_since_2000)
{
    const Day day = civil_from_days(days_since_2000 + days_to_2000);
    if (day.year > 0)
        return fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    return fmt::format("{:04}-{:02}-{:02} BC", 1 - day.year, day.month, day.day);
}

// Of a day; may be 24:00:00.
std::string time_text(std::int64_t us)
{
    const std::int64_t seconds = us / 1'000'000;
    std::string text =
        fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (const std::int64_t fraction = us % 1'000'000; fraction != 0) {
        text += fmt::format(".{:06}", fraction);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text;
}

std::string timestamp_text(std::int64_t us, std::string_view zone)
{
    if (us == std::numeric_limits<std::int64_t>::max())
        return "infinity";
    if (us == std::numeric_limits<std::int64_t>::min())
        return "-infinity";
    std::int64_t days = us / us_per_day;
    std::int64_t rest = us % us_per_day;
    if (rest < 0) {
        --days;
        rest += us_per_day;
    }
    std::string date = date_text(days);
    std::string_view era;
    if (date.ends_with(" BC")) {
        date.resize(date.size() - 3);
        era = " BC";
    }
    return fmt::format("{} {}{}{}", date, time_text(rest), zone, era);
}

template <class Float>
std::string float_text(Float value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value > 0 ? "Infinity" : "-Infinity";
    return fmt::format("{}", value);
}

// Base 10000 digits; see numeric_send() in PostgreSQL's numeric.c.
std::optional<std::string> numeric_text(Bytes value)
{
    // Eight octets can stand for 131,072 zeros: beyond this they are shown as they are.
    constexpr int most_zero_groups = 16;

    BodyReader reader(value);
    const std::uint16_t count = reader.u16();
    const auto weight = static_cast<std::int16_t>(reader.u16());
    const std::uint16_t sign = reader.u16();
    const std::uint16_t decimals = reader.u16();
    if (reader.failed() || reader.rest().size() != std::size_t{count} * 2)
        return std::nullopt;
    switch (sign) {
    case 0x0000:
    case 0x4000: break;
    case 0xC000: return "NaN";
    case 0xD000: return "Infinity";
    case 0xF000: return "-Infinity";
    default: return std::nullopt;
    }
    if (weight - count > most_zero_groups || weight < -most_zero_groups ||
        decimals > (count + most_zero_groups) * 4)
        return std::nullopt;
    std::vector<std::uint16_t> digits;
    for (std::uint16_t i = 0; i < count; ++i) {
        digits.push_back(reader.u16());
        if (digits.back() > 9999)
            return std::nullopt;
    }
    const auto group = [&](int position) {
        const int index = weight - position;
        return index >= 0 && index < count ? digits[static_cast<std::size_t>(index)] : 0;
    };
    std::string text = sign == 0x4000 ? "-" : "";
    text += std::to_string(weight >= 0 ? group(weight) : 0);
    for (int position = weight - 1; position >= 0; --position)
        text += fmt::format("{:04}", group(position));
    if (decimals > 0) {
        std::string fraction;
        for (int position = -1; fraction.size() < decimals; --position)
            fraction += fmt::format("{:04}", group(position));
        fraction.resize(decimals);
        text += "." + fraction;
    }
    return text;
}

std::optional<std::string> interval_text(Bytes value)
{
    BodyReader reader(value);
    auto us = static_cast<std::int64_t>(u64(reader));
    const auto days = static_cast<std::int32_t>(reader.u32());
    const auto months = static_cast<std::int32_t>(reader.u32());
    if (reader.failed() || us == std::numeric_limits<std::int64_t>::min())
        return std::nullopt;
    std::string text;
    const auto add = [&text](std::int64_t count, std::string_view unit) {
        if (count != 0)
            text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", count, unit,
                                count == 1 || count == -1 ? "" : "s");
    };
    add(months / 12, "year");
    add(months % 12, "mon");
    add(days, "day");
    if (us != 0 || text.empty()) {
        if (!text.empty())
            text += ' ';
        if (us < 0) {
            text += '-';
            us = -us;
        }
        text += time_text(us);
    }
    return text;
}

std::optional<std::string> uuid_text(Bytes value)
{
    if (value.size() != 16)
        return std::nullopt;
    std::string text = to_hex(value);
    for (const std::size_t at : {20U, 16U, 12U, 8U})
        text.insert(at, 1, '-');
    return text;
}

// Nothing where the bytes are not what the type has.
std::optional<std::string> binary_text(std::uint32_t type, Bytes value)
{
    BodyReader reader(value);
    const auto of_size = [&](std::size_t size) { return value.size() == size; };
    switch (type) {
    case bool_type:
        if (!of_size(1))
            return std::nullopt;
        return reader.u8() != 0 ? "t" : "f";
    case int2_type:
        if (!of_size(2))
            return std::nullopt;
        return std::to_string(static_cast<std::int16_t>(reader.u16()));
    case int4_type:
        if (!of_size(4))
            return std::nullopt;
        return std::to_string(static_cast<std::int32_t>(reader.u32()));
    case int8_type:
        if (!of_size(8))
            return std::nullopt;
        return std::to_string(static_cast<std::int64_t>(u64(reader)));
    case oid_type:
        if (!of_size(4))
            return std::nullopt;
        return std::to_string(reader.u32());
    case float4_type:
        if (!of_size(4))
            return std::nullopt;
        return float_text(std::bit_cast<float>(reader.u32()));
    case float8_type:
        if (!of_size(8))
            return std::nullopt;
        return float_text(std::bit_cast<double>(u64(reader)));
    case numeric_type: return numeric_text(value);
    case uuid_type: return uuid_text(value);
    case date_type: {
        if (!of_size(4))
            return std::nullopt;
        const auto days = static_cast<std::int32_t>(reader.u32());
        if (days == std::numeric_limits<std::int32_t>::max())
            return "infinity";
        if (days == std::numeric_limits<std::int32_t>::min())
            return "-infinity";
        return date_text(days);
    }
    case time_type: {
        if (!of_size(8))
            return std::nullopt;
        const auto us = static_cast<std::int64_t>(u64(reader));
        if (us < 0 || us > us_per_day)
            return std::nullopt;
        return time_text(us);
    }
    case timestamp_type:
    case timestamptz_type:
        if (!of_size(8))
            return std::nullopt;
        return timestamp_text(static_cast<std::int64_t>(u64(reader)),
                              type == timestamptz_type ? "+00" : "");
    case interval_type:
        if (!of_size(16))
            return std::nullopt;
        return interval_text(value);
    case jsonb_type:
        if (value.empty() || reader.u8() != 1)
            return std::nullopt;
        return value_text(json_type, true, reader.rest());
    case bytea_type: return "\\x" + to_hex(value);
    default: return std::nullopt;
    }
}

bool is_text(std::uint32_t type)
{
    switch (type) {
    case char_type:
    case name_type:
    case text_type:
    case json_type:
    case xml_type:
    case unknown_type:
    case bpchar_type:
    case varchar_type: return true;
    default: return false;
    }
}

bool printable_text(Bytes value)
{
    return std::ranges::none_of(text_of(value),
                                [](char c) {
                                    const auto octet = static_cast<unsigned char>(c);
                                    return octet < 0x20 || octet == 0x7f;
                                }) &&
           is_utf8(text_of(value));
}

}  // namespace

std::string_view type_name(std::uint32_t type)
{
    for (const Known& known : known_types)
        if (known.type == type)
            return known.name;
    return {};
}

bool is_number(std::uint32_t type)
{
    switch (type) {
    case int2_type:
    case int4_type:
    case int8_type:
    case oid_type:
    case float4_type:
    case float8_type:
    case numeric_type:
    case money_type: return true;
    default: return false;
    }
}

std::string value_text(std::uint32_t type, bool binary, Bytes value)
{
    if (!binary || is_text(type))
        return std::string(text_of(value));
    if (auto text = binary_text(type, value))
        return *std::move(text);
    if (!value.empty() && printable_text(value))
        return std::string(text_of(value));
    return value.empty() ? std::string() : "\\x" + to_hex(value);
}

}  // namespace sallyport::postgres
