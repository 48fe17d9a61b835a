#include <array>
#include <gtest/gtest.h>
#include <pty.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "gateway/digest/digest.h"
#include "gateway/identity/scram_verifier.h"
#include "gateway/program/user.h"

namespace sallyport::testing {
namespace {

struct Printed {
    int status = 0;
    std::string out;
    std::string problems;
};

Printed hash_of(std::string_view input)
{
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe(pipe.data()), 0);
    EXPECT_EQ(::write(pipe[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    ::close(pipe[1]);
    std::ostringstream out;
    std::ostringstream problems;
    const int status = hash_password(pipe[0], 4096, out, problems);
    ::close(pipe[0]);
    return {status, out.str(), problems.str()};
}

bool is_verifier_of(std::string text, std::string_view password)
{
    if (!text.ends_with("\n"))
        return false;
    text.pop_back();
    const auto verifier = parse_scram_verifier(text);
    if (!verifier)
        return false;
    const Sha256 salted = pbkdf2_sha256(password, bytes_of(verifier->salt), verifier->iterations);
    return verifier->server_key == hmac_sha256(salted, bytes_of("Server Key"));
}

TEST(UserCommandsTest, HashesTheFirstLineOfStandardInput)
{
    for (const char* input : {"pencil", "pencil\n", "pencil\nmore\n"}) {
        const Printed printed = hash_of(input);
        EXPECT_EQ(printed.status, 0);
        EXPECT_TRUE(is_verifier_of(printed.out, "pencil")) << printed.out;
        EXPECT_EQ(printed.problems, "");
    }
    EXPECT_TRUE(is_verifier_of(hash_of(" two words \n").out, " two words "));
}

TEST(UserCommandsTest, RefusesWhatCannotBeAPassword)
{
    for (const std::string& input : {std::string(), std::string("\n"), std::string("a\0b\n", 4),
                                     std::string(1025, 'x') + "\n"}) {
        const Printed printed = hash_of(input);
        EXPECT_EQ(printed.status, 1);
        EXPECT_EQ(printed.out, "");
        EXPECT_NE(printed.problems.find("password"), std::string::npos);
    }
    EXPECT_EQ(hash_of(std::string(1024, 'x')).status, 0);
}

// What a person at a terminal sees; the answers are typed when the prompts come.
struct AtTerminal {
    Printed printed;
    std::string shown;
};

AtTerminal hash_at_terminal(const std::vector<std::string>& answers)
{
    int screen = -1;
    int terminal = -1;
    EXPECT_EQ(::openpty(&screen, &terminal, nullptr, nullptr, nullptr), 0);

    // The prompts go to the same terminal, through a stream that this buffer carries there.
    struct ToDescriptor final : std::streambuf {
        explicit ToDescriptor(int number) : descriptor(number) {}
        int overflow(int c) override
        {
            const char byte = static_cast<char>(c);
            return ::write(descriptor, &byte, 1) == 1 ? c : -1;
        }
        int descriptor;
    };
    ToDescriptor buffer(terminal);
    std::ostream prompts(&buffer);
    std::ostringstream out;
    AtTerminal result;
    std::thread command([&] {
        result.printed.status = hash_password(terminal, 4096, out, prompts);
        ::close(terminal);
    });
    std::size_t answered = 0;
    char c = 0;
    while (::read(screen, &c, 1) == 1) {
        result.shown += c;
        if (answered < answers.size() && result.shown.ends_with(": ")) {
            const std::string& answer = answers[answered++];
            EXPECT_EQ(::write(screen, answer.data(), answer.size()),
                      static_cast<ssize_t>(answer.size()));
        }
    }
    command.join();
    ::close(screen);
    result.printed.out = out.str();
    return result;
}

TEST(UserCommandsTest, AsksTwiceOnATerminalAndShowsNothing)
{
    const AtTerminal result = hash_at_terminal({"pencil\n", "pencil\n"});
    EXPECT_EQ(result.printed.status, 0);
    EXPECT_TRUE(is_verifier_of(result.printed.out, "pencil"));
    EXPECT_EQ(result.shown, "Password: \r\nAgain: \r\n");
}

TEST(UserCommandsTest, RefusesTwoDifferentPasswords)
{
    const AtTerminal result = hash_at_terminal({"pencil\n", "pencils\n"});
    EXPECT_EQ(result.printed.status, 1);
    EXPECT_EQ(result.printed.out, "");
    EXPECT_NE(result.shown.find("differ"), std::string::npos);
    EXPECT_EQ(result.shown.find("pencil"), std::string::npos);
}

TEST(UserCommandsTest, MakesATokenAndItsDigest)
{
    std::ostringstream out;
    EXPECT_EQ(make_token(out), 0);
    std::istringstream lines(out.str());
    std::string token;
    std::string digest;
    std::string rest;
    ASSERT_TRUE(std::getline(lines, token) && std::getline(lines, digest));
    EXPECT_FALSE(std::getline(lines, rest));
    EXPECT_EQ(token.size(), 3U + 64U);
    EXPECT_TRUE(token.starts_with("sp_"));
    EXPECT_EQ(digest, "sha256:" + to_hex(sha256(bytes_of(token))));
    std::ostringstream again;
    make_token(again);
    EXPECT_NE(again.str(), out.str());
}

}  // namespace
}  // namespace sallyport::testing
