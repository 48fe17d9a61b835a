// A private PostgreSQL 15 in a folder of its own, for the length of a test.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <pwd.h>
#include <string>
#include <unistd.h>

#include "tests/protocols/postgres/loopback.h"

namespace sallyport::postgres {

class PrivateCluster {
public:
    // hba: lines of pg_hba.conf for connections over TCP. sql: run once, by the superuser postgres.
    PrivateCluster(const std::string& hba, const std::string& sql)
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "cluster-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        make_certificates();
        if (::geteuid() == 0) {
            // The server refuses to run as root.
            const passwd* const postgres = ::getpwnam("postgres");
            EXPECT_NE(postgres, nullptr);
            for (const auto& each : std::filesystem::directory_iterator(folder_))
                EXPECT_EQ(::chown(each.path().c_str(), postgres->pw_uid, postgres->pw_gid), 0);
            EXPECT_EQ(::chown(folder_.c_str(), postgres->pw_uid, postgres->pw_gid), 0);
            as_postgres_ = "runuser -u postgres -- ";
        }
        command(bin_ + "initdb -D " + folder_ +
                "/data -U postgres -A trust -N -E UTF8 --no-locale");
        port_ = free_port();
        append(
            "data/postgresql.conf",
            "listen_addresses='127.0.0.1'\nunix_socket_directories='" + folder_ +
                "'\nport=" + std::to_string(port_) +
                "\nfsync=off\nssl=on\nssl_cert_file='../server.crt'\nssl_key_file='../server.key'\n"
                "ssl_ca_file='../ca.crt'\n");
        std::ofstream(folder_ + "/data/pg_hba.conf", std::ios::trunc) << "local all all trust\n"
                                                                      << hba;
        command(bin_ + "pg_ctl -D " + folder_ + "/data -l " + folder_ + "/log -w start");
        std::ofstream(folder_ + "/setup.sql") << sql;
        command(bin_ + "psql -qX -v ON_ERROR_STOP=1 -h " + folder_ + " -p " +
                std::to_string(port_) + " -U postgres -f " + folder_ + "/setup.sql postgres");
    }
    PrivateCluster(const PrivateCluster&) = delete;
    PrivateCluster& operator=(const PrivateCluster&) = delete;
    ~PrivateCluster()
    {
        command(bin_ + "pg_ctl -D " + folder_ + "/data -m immediate -w stop");
        std::filesystem::remove_all(folder_);
    }

    // Settings that take effect on reload: ssl among them.
    void set(const std::string& setting)
    {
        append("data/postgresql.conf", setting + "\n");
        command(bin_ + "pg_ctl -D " + folder_ + "/data reload");
    }

    std::uint16_t port() const { return port_; }
    std::string file(const std::string& name) const { return folder_ + "/" + name; }

private:
    // A CA, a server's certificate for localhost and 127.0.0.1, and a client's for "certified"; and
    // a CA that signed none of them.
    void make_certificates()
    {
        const std::string make =
            "cd " + folder_ +
            " && new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes' && "
            "for ca in ca other; do $new -x509 -days 2 -keyout $ca.key -out $ca.crt -subj /CN=$ca; "
            "done && printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > names && "
            "$new -keyout server.key -out server.csr -subj /CN=server && "
            "openssl x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
            "-extfile names -out server.crt && "
            "$new -keyout client.key -out client.csr -subj /CN=certified && "
            "openssl x509 -req -days 2 -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
            "-out client.crt && chmod 600 *.key";
        EXPECT_EQ(std::system(("(" + make + ") >" + folder_ + "/openssl.log 2>&1").c_str()), 0);
    }

    void command(const std::string& line) const
    {
        EXPECT_EQ(std::system((as_postgres_ + line + " >/dev/null").c_str()), 0) << line;
    }

    void append(const std::string& name, const std::string& text) const
    {
        std::ofstream(folder_ + "/" + name, std::ios::app) << text;
    }

    static std::uint16_t free_port()
    {
        const ScriptedServer taken([](Wire&) {});
        return taken.port();
    }

    std::string folder_;
    std::string bin_ = "/usr/lib/postgresql/15/bin/";
    std::string as_postgres_;
    std::uint16_t port_ = 0;
};

}  // namespace sallyport::postgres
