// Reads one map of the configuration strictly: every key is asked for by name, and what was not
// asked for is a problem that lists the keys that were.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/yaml_tree.h"

namespace sallyport {

// What reading a file needs throughout.
struct Reading {
    std::string file;              // as it was named, for problems
    std::filesystem::path folder;  // where relative paths start
    std::span<const ProtocolWords> protocols;
    std::vector<Problem> problems;

    void add(int line, std::string text);

    // Null where this build does not have the protocol.
    const ProtocolWords* find_protocol(std::string_view name) const;

    // A path of the configuration, absolute or from the file's folder.
    std::string path_of(const std::string& written) const;
};

// "a, b and c"
std::string listed(std::span<const std::string_view> words);
std::string listed(std::span<const std::string> words);

// Every getter gives nothing where the key is absent, and where its value is not of the kind that
// was asked for: that is a problem of its own, with the value's line and never the value of a
// secret. The node and the Reading outlive the reader.
class MapReader {
public:
    // A node that is no map is a problem, and reads as an empty map without required keys.
    MapReader(const YamlNode& node, std::string path, Reading& reading);

    // Reports what was never asked for. Called once, after all keys were.
    void finish() const;

    bool has(std::string_view key) const;
    int line() const { return line_; }
    int line_of(std::string_view key) const;
    const std::string& path() const { return path_; }
    std::string path_of(std::string_view key) const;
    Reading& reading() const { return reading_; }

    // The value as it is. Null where the key is absent.
    const YamlNode* node(std::string_view key);
    // A problem where the key is absent.
    const YamlNode* required_node(std::string_view key);

    // Not empty and without control characters.
    std::optional<std::string> text(std::string_view key);
    std::optional<std::string> required_text(std::string_view key);
    std::optional<Secret> secret(std::string_view key);
    std::optional<bool> flag(std::string_view key);
    std::optional<std::uint64_t> number(std::string_view key, std::uint64_t least,
                                        std::uint64_t most);
    std::optional<std::chrono::seconds> duration(std::string_view key);
    std::optional<std::uint64_t> size(std::string_view key, std::uint64_t least,
                                      std::uint64_t most);
    // A file that exists, as an absolute or file-relative path; unreadable ones are problems.
    std::optional<std::string> file(std::string_view key);
    // One of the words.
    std::optional<std::string> word(std::string_view key, std::span<const std::string_view> words);

    struct Item {
        std::string text;
        std::string written;  // for messages
        int line;
    };
    // A list of texts, which may be empty.
    std::vector<Item> texts(std::string_view key);
    std::vector<std::string> plain_texts(std::string_view key);
    // A list of maps, each handed on with its path.
    void each(std::string_view key,
              const std::function<void(const YamlNode& item, const std::string& path)>& read);

    // "connections[0].target.port: text"
    void problem(std::string_view key, const std::string& text);
    void problem_at(int line, const std::string& text);

private:
    // A scalar that is not empty; problems are reported.
    const YamlNode* scalar(std::string_view key, std::string_view expected);

    const YamlNode* node_;  // null where it was no map
    int line_;
    std::string path_;
    Reading& reading_;
    std::vector<std::string> asked_;
};

}  // namespace sallyport
