#include "gateway/config/configuration.h"

#include <algorithm>
#include <utility>

#include "gateway/config/references.h"
#include "gateway/config/sections.h"
#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

constexpr std::size_t file_limit = std::size_t{16} << 20;

std::string hash_of(std::string_view text)
{
    return "sha256:" + to_hex(sha256(bytes_of(text)));
}

std::filesystem::path folder_of(const std::string& file)
{
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(file, error);
    return (error ? std::filesystem::path(file) : absolute).parent_path();
}

void read_connections(MapReader& map, Reading& reading, Configuration& into)
{
    UniqueNames names;
    map.required_node("connections");
    map.each("connections", [&](const YamlNode& item, const std::string& path) {
        auto connection = read_connection(item, path, into.audit.durability, reading);
        if (connection != nullptr &&
            names.add(connection->name, item.line, path + ".name", reading))
            into.connections.push_back(std::move(connection));
    });
}

void read_policies(MapReader& map, Reading& reading, Configuration& into)
{
    UniqueNames names;
    if (const YamlNode* node = map.required_node("policies"))
        into.policies_hash = hash_of(canonical(*node));
    map.each("policies", [&](const YamlNode& item, const std::string& path) {
        auto policy = read_policy(item, path, reading);
        if (!policy->name.empty() && names.add(policy->name, item.line, path + ".name", reading))
            into.policies.push_back(std::move(policy));
    });
}

}  // namespace

std::string to_string(const Problem& problem)
{
    return problem.file + (problem.line > 0 ? ":" + std::to_string(problem.line) : "") + ": " +
           problem.text;
}

tl::expected<Configuration, std::vector<Problem>> parse_configuration(
    std::string_view text, const std::string& file, std::span<const ProtocolWords> protocols)
{
    Reading reading{
        .file = file, .folder = folder_of(file), .protocols = protocols, .problems = {}};
    YamlNode root = read_yaml(text, file, reading.problems);
    if (root.kind == YamlNode::Kind::null) {
        if (reading.problems.empty())
            reading.add(0, "the file is empty; docs/configuration.md has an example");
        return tl::unexpected(std::move(reading.problems));
    }
    resolve_references(root, reading.folder, file, reading.problems);

    Configuration configuration;
    configuration.hash = hash_of(text);
    MapReader map(root, "", reading);
    if (const YamlNode* gateway = map.node("gateway"))
        configuration.gateway = read_gateway(*gateway, reading);
    if (const YamlNode* store = map.node("store"))
        configuration.store = read_store(*store, reading);
    if (const YamlNode* audit = map.node("audit"))
        configuration.audit = read_audit(*audit, reading);
    if (const YamlNode* identity = map.node("identity"))
        read_identity(*identity, reading, configuration);
    read_connections(map, reading, configuration);
    read_policies(map, reading, configuration);
    map.finish();

    if (!reading.problems.empty()) {
        std::ranges::stable_sort(reading.problems, {}, &Problem::line);
        return tl::unexpected(std::move(reading.problems));
    }
    return configuration;
}

tl::expected<Configuration, std::vector<Problem>> read_configuration(
    const std::string& file, std::span<const ProtocolWords> protocols)
{
    const auto text = read_whole_file(file, file_limit);
    if (!text) {
        std::vector<Problem> problems;
        problems.push_back({.file = file, .line = 0, .text = "the file " + text.error()});
        return tl::unexpected(std::move(problems));
    }
    return parse_configuration(*text, file, protocols);
}

}  // namespace sallyport
