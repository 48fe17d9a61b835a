#include "gateway/config/map_reader.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "gateway/config/values.h"

namespace sallyport {

namespace {

template <class Word>
std::string listed_words(std::span<const Word> words)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0)
            text += i + 1 == words.size() ? " and " : ", ";
        text += words[i];
    }
    return text;
}

bool has_control_characters(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) {
        const auto code = static_cast<unsigned char>(c);
        return code < 0x20 || code == 0x7f;
    });
}

}  // namespace

std::string listed(std::span<const std::string_view> words)
{
    return listed_words(words);
}
std::string listed(std::span<const std::string> words)
{
    return listed_words(words);
}

void Reading::add(int line, std::string text)
{
    problems.push_back({.file = file, .line = line, .text = std::move(text)});
}

const ProtocolWords* Reading::find_protocol(std::string_view name) const
{
    const auto found = std::ranges::find(protocols, name, &ProtocolWords::name);
    return found == protocols.end() ? nullptr : &*found;
}

std::string Reading::path_of(const std::string& written) const
{
    return (folder / written).lexically_normal().string();
}

MapReader::MapReader(const YamlNode& node, std::string path, Reading& reading)
    : node_(node.kind == YamlNode::Kind::map ? &node : nullptr),
      line_(node.line),
      path_(std::move(path)),
      reading_(reading)
{
    if (node_ == nullptr && !node.broken)
        reading_.add(line_, (path_.empty() ? "the file" : path_) + ": a map of keys is expected");
}

void MapReader::finish() const
{
    if (node_ == nullptr)
        return;
    const std::string where = path_.empty() ? "" : " in " + path_;
    for (const auto& [key, value] : node_->entries) {
        if (std::ranges::find(asked_, key.text) == asked_.end())
            reading_.add(key.line, "unknown key \"" + key.text + "\"" + where +
                                       "; known keys are " + listed(asked_));
    }
}

bool MapReader::has(std::string_view key) const
{
    return node_ != nullptr && std::ranges::any_of(node_->entries, [&](const YamlEntry& entry) {
               return entry.key.text == key;
           });
}

int MapReader::line_of(std::string_view key) const
{
    if (node_ != nullptr) {
        for (const auto& [name, value] : node_->entries) {
            if (name.text == key)
                return value.line;
        }
    }
    return line_;
}

std::string MapReader::path_of(std::string_view key) const
{
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const YamlNode* MapReader::node(std::string_view key)
{
    if (std::ranges::find(asked_, key) == asked_.end())
        asked_.emplace_back(key);
    if (node_ == nullptr)
        return nullptr;
    for (const auto& [name, value] : node_->entries) {
        if (name.text == key)
            return &value;
    }
    return nullptr;
}

const YamlNode* MapReader::required_node(std::string_view key)
{
    const YamlNode* found = node(key);
    if (found == nullptr && node_ != nullptr)
        reading_.add(line_, path_of(key) + " is missing");
    return found;
}

const YamlNode* MapReader::scalar(std::string_view key, std::string_view expected)
{
    const YamlNode* found = node(key);
    if (found == nullptr || found->broken)
        return nullptr;
    if (found->kind != YamlNode::Kind::scalar || found->text.empty()) {
        problem(key, std::string(expected) + " is expected");
        return nullptr;
    }
    return found;
}

std::optional<std::string> MapReader::text(std::string_view key)
{
    const YamlNode* found = scalar(key, "a text");
    if (found == nullptr)
        return std::nullopt;
    if (has_control_characters(found->text)) {
        problem(key, "has a control character or a line break in it");
        return std::nullopt;
    }
    return found->text;
}

std::optional<std::string> MapReader::required_text(std::string_view key)
{
    required_node(key);
    return text(key);
}

std::optional<Secret> MapReader::secret(std::string_view key)
{
    const YamlNode* found = scalar(key, "a text");
    if (found == nullptr)
        return std::nullopt;
    return Secret(found->text);
}

std::optional<bool> MapReader::flag(std::string_view key)
{
    const YamlNode* found = scalar(key, "true or false");
    if (found == nullptr)
        return std::nullopt;
    if (found->text != "true" && found->text != "false") {
        problem(key, "true or false is expected");
        return std::nullopt;
    }
    return found->text == "true";
}

std::optional<std::uint64_t> MapReader::number(std::string_view key, std::uint64_t least,
                                               std::uint64_t most)
{
    const std::string expected =
        "a number from " + std::to_string(least) + " to " + std::to_string(most);
    const YamlNode* found = scalar(key, expected);
    if (found == nullptr)
        return std::nullopt;
    const auto number = parse_number(found->text);
    if (!number || *number < least || *number > most) {
        problem(key, expected + " is expected");
        return std::nullopt;
    }
    return number;
}

std::optional<std::chrono::seconds> MapReader::duration(std::string_view key)
{
    static constexpr std::string_view expected = "a duration such as 30s, 10m, 8h, 90d or 7y";
    const YamlNode* found = scalar(key, expected);
    if (found == nullptr)
        return std::nullopt;
    const auto duration = parse_duration(found->text);
    if (!duration)
        problem(key, std::string(expected) + " is expected");
    return duration;
}

std::optional<std::uint64_t> MapReader::size(std::string_view key, std::uint64_t least,
                                             std::uint64_t most)
{
    const std::string expected = "a size such as 512KiB, 64MiB or 4GiB, from " +
                                 std::to_string(least) + " to " + std::to_string(most) + " bytes,";
    const YamlNode* found = scalar(key, expected);
    if (found == nullptr)
        return std::nullopt;
    const auto size = parse_size(found->text);
    if (!size || *size < least || *size > most) {
        problem(key, expected + " is expected");
        return std::nullopt;
    }
    return size;
}

std::optional<std::string> MapReader::file(std::string_view key)
{
    const auto written = text(key);
    if (!written)
        return std::nullopt;
    std::string path = reading_.path_of(*written);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        problem(key, "file " + path + " does not exist");
        return std::nullopt;
    }
    if (!std::filesystem::is_regular_file(path, error) || !std::ifstream(path)) {
        problem(key, "file " + path + " cannot be read");
        return std::nullopt;
    }
    return path;
}

std::optional<std::string> MapReader::word(std::string_view key,
                                           std::span<const std::string_view> words)
{
    const YamlNode* found = scalar(key, "one of " + listed(words));
    if (found == nullptr)
        return std::nullopt;
    if (std::ranges::find(words, found->text) == words.end()) {
        problem(key, "\"" + found->written + "\" is not known; known are " + listed(words));
        return std::nullopt;
    }
    return found->text;
}

std::vector<MapReader::Item> MapReader::texts(std::string_view key)
{
    std::vector<Item> items;
    const YamlNode* found = node(key);
    if (found == nullptr || found->broken)
        return items;
    if (found->kind != YamlNode::Kind::list) {
        problem(key, "a list is expected: [...]");
        return items;
    }
    for (const YamlNode& item : found->items) {
        if (item.broken)
            continue;
        if (item.kind != YamlNode::Kind::scalar || item.text.empty() ||
            has_control_characters(item.text))
            problem_at(item.line, path_of(key) + ": a list of texts is expected");
        else
            items.push_back({.text = item.text, .written = item.written, .line = item.line});
    }
    return items;
}

std::vector<std::string> MapReader::plain_texts(std::string_view key)
{
    std::vector<std::string> plain;
    for (Item& item : texts(key))
        plain.push_back(std::move(item.text));
    return plain;
}

void MapReader::each(std::string_view key,
                     const std::function<void(const YamlNode& item, const std::string& path)>& read)
{
    const YamlNode* found = node(key);
    if (found == nullptr || found->broken)
        return;
    // "policies:" with nothing below it is an empty list to whoever wrote it.
    if (found->kind == YamlNode::Kind::null)
        return;
    if (found->kind != YamlNode::Kind::list) {
        problem(key, "a list is expected");
        return;
    }
    for (std::size_t i = 0; i < found->items.size(); ++i)
        read(found->items[i], path_of(key) + "[" + std::to_string(i) + "]");
}

void MapReader::problem(std::string_view key, const std::string& text)
{
    reading_.add(line_of(key), path_of(key) + ": " + text);
}

void MapReader::problem_at(int line, const std::string& text)
{
    reading_.add(line, text);
}

}  // namespace sallyport
