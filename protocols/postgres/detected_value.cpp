#include "protocols/postgres/detected_value.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/utf8.h"

namespace sallyport::postgres {

namespace {

// OIDs of src/include/catalog/pg_type.dat; fixed since these types exist.
enum : std::uint32_t {
    no_type = 0,  // any that is not known
    name_type = 19,
    text_type = 25,
    json_type = 114,
    xml_type = 142,
    xml_array = 143,
    json_array = 199,
    unknown_type = 705,
    name_array = 1003,
    text_array = 1009,
    bpchar_array = 1014,
    varchar_array = 1015,
    bpchar_type = 1042,
    varchar_type = 1043,
    cstring_array = 1263,
    record_type = 2249,
    cstring_type = 2275,
    record_array = 2287,
    jsonb_type = 3802,
    jsonb_array = 3807,
};

// Types whose values are no text, and their arrays and ranges, in ascending order.
constexpr std::array<std::uint32_t, 108> passed_types = {
    16,   17,   18,   20,   21,   22,   23,   24,   26,   27,   28,   29,   30,   210,  271,  600,
    601,  602,  603,  604,  628,  629,  650,  651,  700,  701,  718,  719,  774,  775,  790,  791,
    829,  869,  1000, 1001, 1002, 1005, 1006, 1007, 1008, 1010, 1011, 1012, 1013, 1016, 1017, 1018,
    1019, 1020, 1021, 1022, 1027, 1028, 1040, 1041, 1082, 1083, 1114, 1115, 1182, 1183, 1184, 1185,
    1186, 1187, 1231, 1266, 1270, 1560, 1561, 1562, 1563, 1700, 2202, 2205, 2206, 2207, 2210, 2211,
    2278, 2949, 2950, 2951, 2970, 3220, 3221, 3904, 3905, 3906, 3907, 3908, 3909, 3910, 3911, 3912,
    3913, 3926, 3927, 4089, 4096, 4451, 4532, 4536, 5038, 5039, 5069, 5077,
};
static_assert(std::ranges::is_sorted(passed_types));

constexpr std::size_t deepest = 8;  // arrays in rows in arrays
constexpr std::uint32_t most_dimensions = 6;
constexpr std::uint32_t most_fields = 1664;
constexpr std::uint32_t null_length = 0xffffffffU;

// A copy of a value with parts replaced, which is made when the first one is.
class Rewriting {
public:
    explicit Rewriting(std::string_view value) : value_(value) {}

    // The parts come in their order.
    void replace(std::size_t begin, std::size_t end, std::string_view by)
    {
        copy_.append(value_, copied_, begin - copied_).append(by);
        copied_ = end;
        changed_ = true;
    }
    Detected finish(std::string& into)
    {
        if (!changed_)
            return Detected::nothing;
        into.append(copy_).append(value_, copied_);
        return Detected::hidden;
    }

private:
    std::string_view value_;
    std::string copy_;
    std::size_t copied_ = 0;
    bool changed_ = false;
};

Detected outcome_of(const Detectors::Hidden& hidden)
{
    return hidden.whole ? Detected::null : hidden.spans > 0 ? Detected::hidden : Detected::nothing;
}

std::string big_endian(std::uint32_t number)
{
    std::byte raw[4];
    write_u32(raw, number);
    return std::string(text_of(raw));
}

std::string quoted_element(std::string_view text)
{
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

// A row doubles where an array puts a backslash (src/backend/utils/adt/rowtypes.c, record_out).
std::string quoted_field(std::string_view text)
{
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += c;
        quoted += c;
    }
    return quoted + '"';
}

// Reads the quoted text whose quote stands at `at` and moves behind its end. False where it has
// none.
bool read_quoted(std::string_view text, std::size_t& at, bool doubles, std::string& into)
{
    into.clear();
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) {
            into += text[++at];
        } else if (text[at] == '"') {
            ++at;
            if (!doubles || at == text.size() || text[at] != '"')
                return true;
            into += '"';
        } else {
            into += text[at];
        }
    }
    return false;
}

// References to characters resolved; names other than XML's own stay.
std::string without_references(std::string_view xml)
{
    static constexpr std::pair<std::string_view, char> names[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    constexpr std::size_t longest = 12;
    std::string plain;
    for (std::size_t at = 0; at < xml.size();) {
        const std::size_t end =
            xml[at] == '&' ? xml.substr(at, longest).find(';') : std::string_view::npos;
        if (end == std::string_view::npos) {
            plain += xml[at++];
            continue;
        }
        const std::string_view name = xml.substr(at + 1, end - 1);
        at += end + 1;
        if (name.starts_with('#')) {
            const bool hex = name.size() > 1 && (name[1] | 0x20) == 'x';
            const unsigned long point =
                std::strtoul(std::string(name.substr(hex ? 2 : 1)).c_str(), nullptr, hex ? 16 : 10);
            // What is looked for is ASCII; anything else only has to be there.
            plain += point < 0x80 ? static_cast<char>(point) : '\x80';
            continue;
        }
        const auto* known =
            std::ranges::find(names, name, &std::pair<std::string_view, char>::first);
        plain += known == std::end(names) ? '\x80' : known->second;
    }
    return plain;
}

class Look {
public:
    explicit Look(const SecondNet& net) : net_(net) {}

    Detected at(std::uint32_t type, bool binary, std::string_view value, std::string& into,
                std::size_t depth) const
    {
        switch (type) {
        case name_type:
        case text_type:
        case unknown_type:
        case bpchar_type:
        case varchar_type:
        case cstring_type: return in_text(value, into);
        case json_type: return in_json(value, true, into);
        case jsonb_type: return binary ? in_binary_jsonb(value, into) : in_json(value, true, into);
        case xml_type: return in_xml(value, into);
        default: break;
        }
        if (!is_looked_at(type))
            return Detected::nothing;
        if (depth < deepest) {
            const auto parts = binary ? in_parts(type, value, into, depth)
                                      : in_parts_of_text(type, value, into, depth);
            if (parts)
                return *parts;
        }
        return binary && !is_printable(value) ? in_bytes(value) : in_text(value, into);
    }

private:
    Detected in_text(std::string_view value, std::string& into) const
    {
        const std::size_t first = value.find_first_not_of(" \t\r\n");
        if (first != std::string_view::npos && (value[first] == '{' || value[first] == '['))
            return in_json(value, false, into);
        if (net_.detectors == nullptr)
            return Detected::nothing;
        return outcome_of(net_.detectors->hide(value, *net_.key, into));
    }

    // certain: of a type that holds nothing but JSON. Other texts may only look like it.
    Detected in_json(std::string_view value, bool certain, std::string& into) const
    {
        std::string by_path;
        if (net_.json != nullptr) {
            const auto hidden = net_.json->hide(value, *net_.key, by_path);
            if (!hidden && certain) {
                into += "\"[masked]\"";
                return Detected::hidden;
            }
            if (hidden.value_or(0) > 0)
                value = by_path;
        }
        if (net_.detectors != nullptr) {
            const Detected found = outcome_of(net_.detectors->hide_in_json(value, *net_.key, into));
            if (found != Detected::nothing)
                return found;
        }
        into += by_path;
        return by_path.empty() ? Detected::nothing : Detected::hidden;
    }

    Detected in_binary_jsonb(std::string_view value, std::string& into) const
    {
        if (!value.starts_with('\x01'))
            return Detected::null;  // a version that nobody knows
        const std::size_t before = into.size();
        into += '\x01';
        const Detected found = in_json(value.substr(1), true, into);
        if (found != Detected::hidden)
            into.resize(before);
        return found;
    }

    Detected in_xml(std::string_view value, std::string& into) const
    {
        if (net_.detectors == nullptr)
            return Detected::nothing;
        const std::size_t before = into.size();
        const Detectors::Hidden hidden = net_.detectors->hide(value, *net_.key, into);
        bool sound = true;
        if (value.find('&') != std::string_view::npos) {
            std::string discarded;
            const auto resolved =
                net_.detectors->hide(without_references(value), *net_.key, discarded);
            sound = resolved.spans <= hidden.spans;
        }
        // A text that was put in could be read as markup.
        const auto marks = [](std::string_view text) {
            return std::ranges::count(text, '<') + std::ranges::count(text, '&');
        };
        if (sound && hidden.spans > 0)
            sound = marks(std::string_view(into).substr(before)) <= marks(value);
        if (sound)
            return outcome_of(hidden);
        into.resize(before);
        return Detected::null;
    }

    Detected in_bytes(std::string_view value) const
    {
        if (net_.detectors == nullptr)
            return Detected::nothing;
        std::string discarded;
        return net_.detectors->hide(value, *net_.key, discarded).spans > 0 ? Detected::null
                                                                           : Detected::nothing;
    }

    static bool is_printable(std::string_view value)
    {
        return is_utf8(value) && std::ranges::none_of(value, [](char c) {
                   return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' &&
                          c != '\r';
               });
    }

    static std::uint32_t element_of(std::uint32_t array)
    {
        switch (array) {
        case xml_array: return xml_type;
        case json_array: return json_type;
        case jsonb_array: return jsonb_type;
        case name_array:
        case text_array:
        case bpchar_array:
        case varchar_array:
        case cstring_array: return text_type;
        case record_array: return record_type;
        default: return no_type;
        }
    }

    // The elements or fields of a value in text form; nothing where it is neither array nor row.
    std::optional<Detected> in_parts_of_text(std::uint32_t type, std::string_view value,
                                             std::string& into, std::size_t depth) const
    {
        if (value.size() < 2)
            return std::nullopt;
        if (value.back() == '}' && (value.front() == '{' || value.front() == '['))
            return in_array_text(element_of(type), value, into, depth);
        if (value.back() == ')' && value.front() == '(')
            return in_row_text(value, into, depth);
        return std::nullopt;
    }

    // "{a,"b c",NULL,{d}}", with "[0:1]=" in front where it does not begin at 1.
    std::optional<Detected> in_array_text(std::uint32_t element, std::string_view value,
                                          std::string& into, std::size_t depth) const
    {
        Rewriting rewriting(value);
        std::size_t level = 0;
        std::string decoded;
        std::size_t at = value.find('{');
        while (at < value.size()) {
            const char c = value[at];
            if (c == '{') {
                ++level;
                ++at;
                continue;
            }
            if (c == '}') {
                if (level == 0)
                    return std::nullopt;
                --level;
                if (++at < value.size() && (level == 0 || (value[at] != ',' && value[at] != '}')))
                    return std::nullopt;
                continue;
            }
            if (c == ',') {
                ++at;
                continue;
            }
            const std::size_t begin = at;
            std::string_view text;
            if (c == '"') {
                if (!read_quoted(value, at, false, decoded))
                    return std::nullopt;
                text = decoded;
            } else {
                at = std::min(value.find_first_of(",{}\"\\", at), value.size());
                text = value.substr(begin, at - begin);
            }
            if (level == 0 || at == value.size() || (value[at] != ',' && value[at] != '}'))
                return std::nullopt;
            std::string shown;
            if (c != '"' && text == "NULL")
                continue;
            switch (this->at(element, false, text, shown, depth + 1)) {
            case Detected::nothing: break;
            case Detected::hidden: rewriting.replace(begin, at, quoted_element(shown)); break;
            case Detected::null: rewriting.replace(begin, at, "NULL"); break;
            }
        }
        if (level != 0)
            return std::nullopt;
        return rewriting.finish(into);
    }

    // "(1,"a b",)"
    std::optional<Detected> in_row_text(std::string_view value, std::string& into,
                                        std::size_t depth) const
    {
        Rewriting rewriting(value);
        std::string decoded;
        for (std::size_t at = 1; at < value.size(); ++at) {
            const std::size_t begin = at;
            std::string_view text;
            if (value[at] == '"') {
                if (!read_quoted(value, at, true, decoded))
                    return std::nullopt;
                text = decoded;
            } else {
                at = std::min(value.find_first_of(",()\"\\", at), value.size());
                text = value.substr(begin, at - begin);
            }
            if (at == value.size() || (value[at] == ')') != (at + 1 == value.size()) ||
                (value[at] != ',' && value[at] != ')'))
                return std::nullopt;
            std::string shown;
            switch (this->at(no_type, false, text, shown, depth + 1)) {
            case Detected::nothing: break;
            case Detected::hidden: rewriting.replace(begin, at, quoted_field(shown)); break;
            case Detected::null: rewriting.replace(begin, at, ""); break;
            }
        }
        return rewriting.finish(into);
    }

    // The same in binary form (src/backend/utils/adt/arrayfuncs.c and rowtypes.c).
    std::optional<Detected> in_parts(std::uint32_t type, std::string_view value, std::string& into,
                                     std::size_t depth) const
    {
        if (type != record_type) {
            if (const auto found = in_binary_array(value, into, depth))
                return found;
        }
        if (type == record_type || element_of(type) == no_type)
            return in_binary_row(value, into, depth);
        return std::nullopt;
    }

    std::optional<Detected> in_binary_array(std::string_view value, std::string& into,
                                            std::size_t depth) const
    {
        BodyReader reader(bytes_of(value));
        const std::uint32_t dimensions = reader.u32();
        const std::uint32_t has_nulls = reader.u32();
        const std::uint32_t element = reader.u32();
        if (reader.failed() || dimensions > most_dimensions || has_nulls > 1)
            return std::nullopt;
        std::uint64_t count = dimensions == 0 ? 0 : 1;
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            count *= reader.u32();
            reader.u32();  // where it begins
            // Each element has a length.
            if (reader.failed() || count > value.size() / 4)
                return std::nullopt;
        }
        std::vector<Part> found;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!read_part(reader, value, element, depth, found))
                return std::nullopt;
        }
        if (!reader.rest().empty())
            return std::nullopt;
        Rewriting rewriting(value);
        if (std::ranges::any_of(found, &Part::null))
            rewriting.replace(4, 8, big_endian(1));  // it has NULLs now
        put(found, rewriting);
        return rewriting.finish(into);
    }

    std::optional<Detected> in_binary_row(std::string_view value, std::string& into,
                                          std::size_t depth) const
    {
        BodyReader reader(bytes_of(value));
        const std::uint32_t count = reader.u32();
        if (reader.failed() || count > most_fields)
            return std::nullopt;
        std::vector<Part> found;
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t type = reader.u32();
            if (!read_part(reader, value, type, depth, found))
                return std::nullopt;
        }
        if (!reader.rest().empty())
            return std::nullopt;
        Rewriting rewriting(value);
        put(found, rewriting);
        return rewriting.finish(into);
    }

    // An element or field in whose place something else goes on, from its length to its end.
    struct Part {
        std::size_t begin;
        std::size_t end;
        std::string shown;
        bool null;
    };

    bool read_part(BodyReader& reader, std::string_view value, std::uint32_t type,
                   std::size_t depth, std::vector<Part>& found) const
    {
        const std::size_t begin = value.size() - reader.rest().size();
        const std::uint32_t length = reader.u32();
        if (reader.failed())
            return false;
        if (length == null_length)
            return true;
        const Bytes bytes = reader.bytes(length);
        if (reader.failed())
            return false;
        std::string shown;
        const Detected detected = at(type, true, text_of(bytes), shown, depth + 1);
        if (detected != Detected::nothing)
            found.push_back({begin, value.size() - reader.rest().size(), std::move(shown),
                             detected == Detected::null});
        return true;
    }

    static void put(const std::vector<Part>& parts, Rewriting& rewriting)
    {
        for (const Part& part : parts) {
            const auto length = static_cast<std::uint32_t>(part.shown.size());
            rewriting.replace(
                part.begin, part.end,
                part.null ? big_endian(null_length) : big_endian(length) + part.shown);
        }
    }

    const SecondNet& net_;
};

}  // namespace

bool is_looked_at(std::uint32_t type)
{
    return !std::ranges::binary_search(passed_types, type);
}

Detected detect_in_value(const SecondNet& net, std::uint32_t type, bool binary,
                         std::string_view value, std::string& into)
{
    if (net.empty())
        return Detected::nothing;
    const std::size_t before = into.size();
    const Detected detected = Look(net).at(type, binary, value, into, 0);
    if (into.size() - before <= value.size() + most_growth)
        return detected;
    into.resize(before);
    return Detected::null;
}

}  // namespace sallyport::postgres
