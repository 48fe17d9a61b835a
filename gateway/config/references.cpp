#include "gateway/config/references.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

namespace sallyport {

namespace {

constexpr std::size_t referenced_file_limit = std::size_t{1} << 20;

// One scalar's text with its references replaced, or what is wrong with the first that cannot be.
tl::expected<std::string, std::string> resolved(const std::string& written,
                                                const std::filesystem::path& folder);

tl::expected<std::string, std::string> value_of_reference(const std::string& reference,
                                                          const std::filesystem::path& folder)
{
    if (reference.starts_with("env:")) {
        const std::string name = reference.substr(4);
        const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
        if (value == nullptr)
            return tl::unexpected("environment variable \"" + name + "\" is not set");
        return std::string(value);
    }
    if (reference.starts_with("file:")) {
        const std::filesystem::path path = folder / reference.substr(5);
        auto value = read_whole_file(path, referenced_file_limit);
        if (!value)
            return tl::unexpected("file " + path.string() + " " + value.error());
        if (value->ends_with('\n'))
            value->pop_back();
        if (value->ends_with('\r'))
            value->pop_back();
        if (value->find('\0') != std::string::npos)
            return tl::unexpected("file " + path.string() + " holds a zero byte: not a text");
        return value;
    }
    // The text in the braces is not shown: it may be part of a password that happens to look like
    // a reference.
    return tl::unexpected(std::string("a ${...} in it is neither ${env:NAME} nor ${file:PATH}; ") +
                          "write $${ where the two characters themselves are meant");
}

tl::expected<std::string, std::string> resolved(const std::string& written,
                                                const std::filesystem::path& folder)
{
    std::string text;
    std::size_t at = 0;
    while (at < written.size()) {
        const std::size_t found = written.find("${", at);
        if (found == std::string::npos)
            break;
        if (found > at && written[found - 1] == '$') {
            text.append(written, at, found - 1 - at);
            text += "${";
            at = found + 2;
            continue;
        }
        text.append(written, at, found - at);
        const std::size_t end = written.find('}', found);
        if (end == std::string::npos)
            return tl::unexpected(
                std::string("a ${ in it has no closing brace; write $${ where the "
                            "two characters themselves are meant"));
        auto value = value_of_reference(written.substr(found + 2, end - found - 2), folder);
        if (!value)
            return value;
        text += *value;
        at = end + 1;
    }
    text.append(written, at);
    return text;
}

std::string item_path(const std::string& path, std::size_t number)
{
    return path + "[" + std::to_string(number) + "]";
}

std::string key_path(const std::string& path, const std::string& key)
{
    return path.empty() ? key : path + "." + key;
}

void resolve(YamlNode& node, const std::string& path, const std::filesystem::path& folder,
             const std::string& file, std::vector<Problem>& problems)
{
    if (node.kind == YamlNode::Kind::scalar && !node.broken &&
        node.written.find("${") != std::string::npos) {
        if (auto text = resolved(node.written, folder)) {
            node.text = std::move(*text);
        } else {
            node.broken = true;
            problems.push_back(
                {.file = file, .line = node.line, .text = path + ": " + text.error()});
        }
    }
    for (std::size_t i = 0; i < node.items.size(); ++i)
        resolve(node.items[i], item_path(path, i), folder, file, problems);
    for (auto& [key, value] : node.entries)
        resolve(value, key_path(path, key.text), folder, file, problems);
}

}  // namespace

void resolve_references(YamlNode& root, const std::filesystem::path& folder,
                        const std::string& file, std::vector<Problem>& problems)
{
    resolve(root, "", folder, file, problems);
}

tl::expected<std::string, std::string> read_whole_file(const std::filesystem::path& path,
                                                       std::size_t limit)
{
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status))
        return tl::unexpected(std::string("does not exist"));
    // Opening a pipe or a device could wait for ever, at a reload as well.
    if (!std::filesystem::is_regular_file(status))
        return tl::unexpected(std::string("is not a regular file"));
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        return tl::unexpected("cannot be read: " + std::generic_category().message(errno));
    std::string bytes;
    char block[16384];
    while (stream.read(block, sizeof block), stream.gcount() > 0) {
        bytes.append(block, static_cast<std::size_t>(stream.gcount()));
        if (bytes.size() > limit)
            return tl::unexpected("is longer than " + std::to_string(limit) + " bytes");
    }
    if (stream.bad())
        return tl::unexpected(std::string("cannot be read to its end"));
    return bytes;
}

}  // namespace sallyport
