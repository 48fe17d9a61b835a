#include "audit/store/frame.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "audit/store/copy_text.h"
#include "audit/store/json_text.h"

namespace sallyport {
namespace {

// An escaped octet takes at most six. With these bounds one event has less than 14,000 octets of
// skeleton and the head of a frame less than 5,000.
constexpr std::size_t words_limit = 1024;  // classes, rule
constexpr std::size_t name_limit = 256;    // gateway, log, policy, protocol
constexpr std::size_t skeletons_limit = 60000;

void put_string(std::string& to, std::string_view key, std::string_view value, std::size_t limit)
{
    if (value.empty())
        return;
    to += key;
    append_json_string(to, value.substr(0, limit));
}

template <class Number>
void put_number(std::string& to, std::string_view key, Number number)
{
    if (number == 0)
        return;
    to += key;
    append_number(to, number);
}

void put_hash(std::string& to, std::string_view key, Bytes hash)
{
    to += key;
    to += '"';
    to += to_hex(hash);
    to += '"';
}

std::size_t payload_size(const Event& event)
{
    std::size_t size = 0;
    for (const Bytes piece : event.payload)
        size += piece.size();
    return size;
}

bool about_a_person(EventKind kind)
{
    return kind == EventKind::session_opened || kind == EventKind::login_refused;
}

}  // namespace

std::size_t Frame::size() const
{
    return leaf.size() + (masked ? masked->data.size() : 0) +
           (identity ? identity->data.size() : 0);
}

Sha256 leaf_hash(std::string_view leaf)
{
    RunningSha256 hash;
    const std::byte zero{0};
    hash.add({&zero, 1});
    hash.add(bytes_of(leaf));
    return hash.finish();
}

std::int64_t earliest_frame_ms(const Uuid& session)
{
    constexpr std::int64_t day = 86400000;  // clocks are set back by less
    if (session.octets[6] >> 4 != 7)
        return storable_ms(0);
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i)
        ms = ms << 8 | session.octets[i];
    return storable_ms(ms - day);
}

std::int64_t kept_at_ms(const Uuid& session, std::int64_t time_ms)
{
    return std::max(storable_ms(time_ms), earliest_frame_ms(session));
}

bool FrameBuilder::full_for(const Event& event) const
{
    if (events_ == 0)
        return false;
    const std::size_t words = std::min(event.classes.size(), words_limit) +
                              std::min(event.rule.size(), words_limit) +
                              std::min(event.protocol.size(), name_limit);
    return events_ == events_in_frame || skeletons_.size() + 6 * words + 512 > skeletons_limit ||
           masked_.size() + event.text.size() + payload_size(event) > part_size_aim;
}

void FrameBuilder::add(const Event& event, std::uint32_t number, const LostBoot* lost)
{
    if (events_ == 0) {
        first_number_ = number;
        time_ms_ = storable_ms(event.time_ms);
    }
    write_skeleton(event, number, lost);
    ++events_;
    if (!event.text.empty() || payload_size(event) != 0) {
        PartWriter& part = about_a_person(event.kind) ? identity_ : masked_;
        part.add(number, event.text, event.payload);
    }
}

// Keys in the order of their names; zero, empty and none are left out.
void FrameBuilder::write_skeleton(const Event& event, std::uint32_t number, const LostBoot* lost)
{
    std::string& to = skeletons_;
    to += to.empty() ? "{" : ",{";
    const std::size_t start = to.size();
    put_number(to, ",\"bytes\":", event.bytes);
    put_string(to, ",\"cls\":", event.classes, words_limit);
    if (event.decision != Decision::none)
        put_string(to, ",\"dec\":", name_of(event.decision), words_limit);
    if (event.digest)
        put_hash(to, ",\"dig\":", *event.digest);
    put_number(to, ",\"dt\":", storable_ms(event.time_ms) - time_ms_);
    put_string(to, ",\"k\":", name_of(event.kind), words_limit);
    if (lost != nullptr)
        put_number(to, ",\"last\":", lost->last_wseq);
    put_number(to, ",\"left\":", event.bytes_left_out);
    if (lost != nullptr)
        put_string(to, ",\"lost\":", lost->boot, name_limit);
    put_number(to, ",\"mk\":", event.masked_values);
    put_number(to, ",\"n\":", number);
    put_number(to, ",\"of\":", event.command);
    if (event.kind == EventKind::command_ended)
        to += event.succeeded ? ",\"ok\":true" : ",\"ok\":false";
    put_string(to, ",\"pr\":", event.protocol, name_limit);
    put_number(to, ",\"rows\":", event.rows);
    put_string(to, ",\"rule\":", event.rule, words_limit);
    put_number(to, ",\"us\":", event.duration_us);
    to += '}';
    to.erase(start, 1);  // the first comma
}

Frame FrameBuilder::finish(const FrameOrigin& origin, std::uint64_t wseq, const Uuid& session,
                           std::string_view policy, const std::optional<Sha256>& previous,
                           PartSealer& sealer)
{
    Frame frame;
    frame.time_ms = time_ms_;
    frame.session = session;
    frame.first_number = first_number_;
    frame.events = events_;
    frame.wseq = wseq;
    if (!masked_.empty())
        frame.masked = sealer.seal(masked_.bytes());
    if (!identity_.empty())
        frame.identity = sealer.seal(identity_.bytes());

    std::string& leaf = frame.leaf;
    leaf.reserve(skeletons_.size() + 640);
    leaf += "{\"boot\":";
    append_json_string(leaf, origin.boot);
    if (frame.masked)
        put_hash(leaf, ",\"c\":", frame.masked->commitment);
    if (frame.identity)
        put_hash(leaf, ",\"ci\":", frame.identity->commitment);
    leaf += ",\"ev\":[";
    leaf += skeletons_;
    leaf += ']';
    put_string(leaf, ",\"gw\":", origin.gateway, name_limit);
    put_string(leaf, ",\"log\":", origin.log, name_limit);
    put_number(leaf, ",\"n\":", first_number_);
    put_string(leaf, ",\"pol\":", policy, name_limit);
    if (previous)
        put_hash(leaf, ",\"prev\":", *previous);
    if (session != Uuid{})
        put_string(leaf, ",\"ses\":", to_string(session), name_limit);
    leaf += ",\"t\":";
    append_number(leaf, time_ms_);
    leaf += ",\"v\":1,\"wseq\":";
    append_number(leaf, wseq);
    leaf += '}';

    skeletons_.clear();
    masked_.clear();
    identity_.clear();
    events_ = 0;
    return frame;
}

namespace {

using nlohmann::json;

std::optional<Sha256> hash_in(const json& object, const char* key)
{
    const auto found = object.find(key);
    if (found == object.end())
        return std::nullopt;
    const std::string& hex = found->get_ref<const std::string&>();
    Sha256 hash{};
    if (hex.size() != 2 * hash.size())
        throw std::invalid_argument(std::string(key) + " is not a hash");
    for (std::size_t i = 0; i < hash.size(); ++i) {
        unsigned value = 0;
        const char* const begin = hex.data() + 2 * i;
        if (std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2)
            throw std::invalid_argument(std::string(key) + " is not a hash");
        hash[i] = static_cast<std::byte>(value);
    }
    return hash;
}

std::string text_in(const json& object, const char* key)
{
    return object.value(key, std::string());
}

std::uint64_t number_in(const json& object, const char* key)
{
    const auto found = object.find(key);
    return found == object.end() ? 0 : found->get<std::uint64_t>();
}

template <class Value>
Value known(const std::optional<Value>& value, const char* what)
{
    if (!value)
        throw std::invalid_argument(std::string("unknown ") + what);
    return *value;
}

RecordedEvent event_in(const json& object, const ParsedFrame& frame)
{
    RecordedEvent event;
    event.kind = known(event_kind_named(text_in(object, "k")), "kind of event");
    event.number = object.at("n").get<std::uint32_t>();
    event.time_ms = frame.time_ms + object.value("dt", std::int64_t{0});
    event.command = static_cast<std::uint32_t>(number_in(object, "of"));
    if (object.contains("dec"))
        event.decision = known(decision_named(text_in(object, "dec")), "decision");
    event.classes = text_in(object, "cls");
    event.rule = text_in(object, "rule");
    event.protocol = text_in(object, "pr");
    event.succeeded = object.value("ok", false);
    event.rows = number_in(object, "rows");
    event.masked_values = number_in(object, "mk");
    event.bytes = number_in(object, "bytes");
    event.bytes_left_out = number_in(object, "left");
    event.duration_us = number_in(object, "us");
    event.digest = hash_in(object, "dig");
    if (event.kind == EventKind::session_opened)
        event.policy = frame.policy;
    return event;
}

}  // namespace

Result<ParsedFrame> parse_frame(std::string_view leaf)
try {
    const json object = json::parse(leaf);
    if (object.at("v").get<int>() != 1)
        return failure(Fault::malformed, "the frame's version is unknown to this program");
    ParsedFrame frame;
    frame.gateway = text_in(object, "gw");
    frame.boot = text_in(object, "boot");
    frame.log = text_in(object, "log");
    frame.policy = text_in(object, "pol");
    if (object.contains("ses")) {
        frame.session = parse_uuid(object.at("ses").get<std::string>());
        if (!frame.session)
            return failure(Fault::malformed, "the frame's session is not a UUID");
    }
    frame.previous = hash_in(object, "prev");
    frame.masked = hash_in(object, "c");
    frame.identity = hash_in(object, "ci");
    frame.first_number = object.at("n").get<std::uint32_t>();
    frame.time_ms = object.at("t").get<std::int64_t>();
    frame.wseq = object.at("wseq").get<std::uint64_t>();
    for (const json& event : object.at("ev"))
        frame.events.push_back(event_in(event, frame));
    return frame;
} catch (const std::exception& problem) {
    // What the library throws for JSON that is not as expected; the leaf is not believed.
    return failure(Fault::malformed, std::string("the frame cannot be read: ") + problem.what());
}

}  // namespace sallyport
