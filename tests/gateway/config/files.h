// A folder of configuration files that goes with the test, and the words of a small protocol.

#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/configuration.h"

namespace sallyport {

inline constexpr std::array<std::string_view, 6> test_classes = {"select", "insert", "update",
                                                                 "delete", "drop",   "opaque"};
inline const std::array<Vocabulary::Group, 2> test_groups = {
    {{.name = "read", .members = ClassSet::of(0)},
     {.name = "write", .members = ClassSet::of(1) | ClassSet::of(2) | ClassSet::of(3)}}};
inline const Vocabulary test_vocabulary = {
    .facet = "sql", .classes = test_classes, .groups = test_groups, .reads = ClassSet::of(0)};
inline const std::array<ProtocolWords, 1> test_protocols = {
    {{.name = "postgres", .vocabulary = &test_vocabulary}}};

// A password verifier and an API token's digest that are well formed.
inline const std::string test_verifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
inline const std::string test_token_digest = "sha256:" + std::string(64, 'a');

class FilesTest : public testing::Test {
protected:
    FilesTest()
    {
        std::string pattern = testing::TempDir() + "sallyport-config-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~FilesTest() override
    {
        std::error_code error;
        std::filesystem::remove_all(folder_, error);
    }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    void write(const std::string& name, std::string_view text) const
    {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }

    // The problems of a text, as printed, without the folder.
    std::vector<std::string> problems_of(std::string_view text) const
    {
        const auto configuration = parse_configuration(text, path("gw.yaml"), test_protocols);
        std::vector<std::string> lines;
        if (configuration)
            return lines;
        for (Problem problem : configuration.error()) {
            problem.file = "gw.yaml";
            std::string line = to_string(problem);
            for (std::size_t at = 0; (at = line.find(folder_.string() + "/")) != std::string::npos;)
                line.erase(at, folder_.string().size() + 1);
            lines.push_back(line);
        }
        return lines;
    }

    // The configuration of a text that must be good.
    Configuration good(std::string_view text) const
    {
        auto configuration = parse_configuration(text, path("gw.yaml"), test_protocols);
        if (!configuration) {
            for (const Problem& problem : configuration.error())
                ADD_FAILURE() << to_string(problem);
            return {};
        }
        return std::move(*configuration);
    }

    std::filesystem::path folder_;
};

}  // namespace sallyport
