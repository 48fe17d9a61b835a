#include "gateway/program/user.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/digest/digest.h"
#include "gateway/identity/scram_verifier.h"

namespace sallyport {

namespace {

constexpr std::size_t longest_password = 1024;
constexpr int usual_iterations = 4096;
constexpr int most_iterations = 1'000'000;

// A terminal that shows nothing of what is typed. Ctrl-C takes effect once it shows it again.
class Hushed final {
public:
    explicit Hushed(int descriptor) : descriptor_(descriptor)
    {
        sigset_t interrupting;
        sigemptyset(&interrupting);
        for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGTSTP, SIGHUP})
            sigaddset(&interrupting, number);
        pthread_sigmask(SIG_BLOCK, &interrupting, &signals_before_);
        worked_ = ::tcgetattr(descriptor_, &before_) == 0;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        worked_ = worked_ && ::tcsetattr(descriptor_, TCSAFLUSH, &quiet) == 0;
    }
    Hushed(const Hushed&) = delete;
    Hushed& operator=(const Hushed&) = delete;
    ~Hushed()
    {
        if (worked_)
            ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
        pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
    }

    bool worked() const { return worked_; }

private:
    int descriptor_;
    termios before_{};
    sigset_t signals_before_{};
    bool worked_ = false;
};

Result<Secret> read_line(int descriptor)
{
    // Of full size from the start: growing would leave copies behind.
    std::string line;
    line.reserve(longest_password + 1);
    for (;;) {
        char c = 0;
        const ssize_t count = ::read(descriptor, &c, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failure(Fault::refused,
                           std::string("the password cannot be read: ") + std::strerror(errno));
        if (count == 0 || c == '\n')
            break;
        if (c == '\0' || line.size() == longest_password) {
            explicit_bzero(line.data(), line.size());
            return failure(Fault::refused,
                           "a password has at most 1024 bytes, none of which is zero");
        }
        line += c;
    }
    Secret password(line);
    explicit_bzero(line.data(), line.size());
    if (password.empty())
        return failure(Fault::refused,
                       "the password is empty: give it on one line of standard input");
    return password;
}

}  // namespace

Result<Secret> read_password(int descriptor, std::ostream& prompts)
{
    if (::isatty(descriptor) == 0)
        return read_line(descriptor);
    const Hushed hushed(descriptor);
    if (!hushed.worked())
        return failure(Fault::refused, "the terminal cannot be kept from showing the password");
    prompts << "Password: " << std::flush;
    auto password = read_line(descriptor);
    prompts << "\n";
    if (!password)
        return password;
    prompts << "Again: " << std::flush;
    const auto again = read_line(descriptor);
    prompts << "\n";
    if (!again || !equal_in_constant_time(bytes_of(password->reveal()), bytes_of(again->reveal())))
        return failure(Fault::refused, "the two passwords differ");
    return password;
}

int hash_password(int descriptor, int iterations, std::ostream& out, std::ostream& problems)
{
    const auto password = read_password(descriptor, problems);
    if (!password) {
        problems << "sallyport user hash-password: " << password.error().detail << "\n";
        return 1;
    }
    out << to_string(make_scram_verifier(*password, iterations)) << std::endl;
    return 0;
}

int make_token(std::ostream& out)
{
    std::array<std::byte, 32> octets{};
    fill_random(octets);
    const Secret token("sp_" + to_hex(octets));
    out << token.reveal() << "\n"
        << "sha256:" << to_hex(sha256(bytes_of(token.reveal()))) << std::endl;
    return 0;
}

void add_user_commands(CLI::App& app, int& status)
{
    CLI::App* user =
        app.add_subcommand("user", "Make what the configuration keeps of a password or of a token");
    user->require_subcommand(1);
    user->footer("Example:\n  sallyport user hash-password\n  sallyport user token");

    const auto iterations = std::make_shared<int>(usual_iterations);
    CLI::App* hash = user->add_subcommand("hash-password", "Make a SCRAM verifier of a password");
    hash->add_option("--iterations", *iterations, "Rounds of hashing")
        ->check(CLI::Range(usual_iterations, most_iterations))
        ->capture_default_str();
    hash->footer(
        "Reads the password from standard input, one line, or asks for it twice on a terminal;\n"
        "prints the value for identity.users[].password.\n"
        "Example:\n  sallyport user hash-password < password.txt");
    hash->callback([iterations, &status] {
        status = hash_password(STDIN_FILENO, *iterations, std::cout, std::cerr);
    });

    CLI::App* token = user->add_subcommand("token", "Make an API token");
    token->footer(
        "Prints the token, which is shown this once and kept nowhere, and on the second line its\n"
        "digest for identity.users[].tokens.\n"
        "Example:\n  sallyport user token");
    token->callback([&status] { status = make_token(std::cout); });
}

}  // namespace sallyport
