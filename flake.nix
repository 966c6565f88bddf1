{
  # The dev shell: `nix develop`. It brings every program that ./bazelw and the tests call, from one nixpkgs that flake.lock
  # pins by hash. What reaches an image does not come from here: Bazel pins that itself.
  description = "Multiparty consent based networks";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs =
    { nixpkgs, ... }:
    let
      # The one platform that images are built on and for.
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};

      build = with pkgs; [
        # Gets just the version in .bazelversion; the pinned nixpkgs has another 7.
        bazelisk
        cacert
        git
        # pip fetches zig's wheel.
        (python3.withPackages (packages: [ packages.pip ]))
        # For cargo beside Bazel. Bazel gets its own Rust by SHA-256.
        rustup
      ];

      # As in images/builder/packages.list.
      peers = with pkgs; [
        curl
        dbus
        gnutls
        iproute2
        nodejs
        openssl
        runc
        skopeo
        stunnel
        swtpm
        tpm2-abrmd
        tpm2-tools
        umoci
        # Under Debian's name, by which the tests start it.
        (writeShellScriptBin "docker-registry" ''exec ${distribution}/bin/registry "$@"'')
      ];

      # What the scripts call.
      tools = with pkgs; [
        bubblewrap
        diffutils
        gnutar
        procps
        unzip
        util-linux
        zip
      ];
    in
    {
      devShells.${system}.default = pkgs.mkShell {
        packages = build ++ peers ++ tools;

        # Bazelisk serves: no builder root, which needs Debian's apt.
        MCBN_BAZEL = "path";
        RUSTUP_TOOLCHAIN = "1.95.0";
      };
    };
}
