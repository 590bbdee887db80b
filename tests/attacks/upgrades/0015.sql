BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0015');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiLSLDZaSdYThl0u',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','tenant.founded','tenant','ten_03GANXBiNv2UOofQIDTCY2',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN03HRME5zjpcdN',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiK8qcwYB9wJGgOF','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000000','127.0.0.1','{"display":"bf_key_03GA\u2026zVHL","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLgW2AMd6YHao3z',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiLtCUOTl7kdmWsU','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000001','127.0.0.1','{"display":"bf_key_03GA\u2026Sk2j","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNpozaUvbbA0cbR',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiKGHRvx1KzTE5BV','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000002','127.0.0.1','{"display":"bf_key_03GA\u2026DbOY","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNIz0dWqUVJJYIb',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiJNFo8lBeRK1d2R','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000003','127.0.0.1','{"display":"bf_key_03GA\u202639xC","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJIdmqn0iwLiQ4U',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiMBdaEVugpHorOp','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000004','127.0.0.1','{"display":"bf_key_03GA\u2026DhPz","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLro6hfPSRQflwZ',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiOAiM6NxUtSvfDK','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000005','127.0.0.1','{"display":"bf_key_03GA\u20268MPp","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLORh2JeISgI7l9',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiNO8RmwsA9QES9i','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000006','127.0.0.1','{"display":"bf_key_03GA\u2026tqbO","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJnTwkBYBEvH8H8',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiJkvk4SB0MHIMcw','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000007','127.0.0.1','{"display":"bf_key_03GA\u2026NZjJ","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLyw1AzASZsRRPB',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiKAuqY1o0cuHrGz','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000008','127.0.0.1','{"display":"bf_key_03GA\u20265v40","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJzILMD4DSYvyqn',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiKmEZz706jVrd2h','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair00000009','127.0.0.1','{"display":"bf_key_03GA\u2026jDHV","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiN6U6sgELwyw920"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKCIcvuUvS2LUuw',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.disabled','api_key','key_03GANXBiNO8RmwsA9QES9i','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNtcdVIjWaUgQRc',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.revoked','api_key','key_03GANXBiJkvk4SB0MHIMcw','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKijnPCYdWha46P',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.rotated','api_key','key_03GANXBiKAuqY1o0cuHrGz','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026lLPy","overlap_seconds":60,"successor_id":"key_03GANXBiMeFusAHAttB9p9"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOLtzK8WqTyXmcd',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.rotated','api_key','key_03GANXBiKmEZz706jVrd2h','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026KVUd","overlap_seconds":3600,"successor_id":"key_03GANXBiJUzY4x0c6jgigU"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLiUeX0GudreErW',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.revoked','api_key','key_03GANXBiKmEZz706jVrd2h','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNuFj6CFjkQZbjY',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','user.created','user','usr_03GANXBiNzZKKO8we5ott6','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLJjwslk9uuCgmZ',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','api_key.created','api_key','key_03GANXBiJUI35VLoIdduar','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026lQs6","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNzZKKO8we5ott6"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiODrtjCPZ8DU7ri',1900000000000000,'ten_03GANXBiNv2UOofQIDTCY2','user.changed','user','usr_03GANXBiNzZKKO8we5ott6','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','api','req_03OlcsWtb4fair0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE authorization_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        session_id TEXT,
        redirect_uri TEXT NOT NULL,
        redirect_uri_given BOOLEAN NOT NULL,
        code_challenge TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_authorization_codes PRIMARY KEY (digest),
        CONSTRAINT fk_authorization_codes_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_authorization_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_authorization_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE "changes" (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan', 'signing_key'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiNv2UOofQIDTCY2',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiN6U6sgELwyw920',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiLgyj6ce6JP1mQU',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiK8qcwYB9wJGgOF',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiLtCUOTl7kdmWsU',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiKGHRvx1KzTE5BV',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiJNFo8lBeRK1d2R',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiMBdaEVugpHorOp',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiOAiM6NxUtSvfDK',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiNO8RmwsA9QES9i',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiJkvk4SB0MHIMcw',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiKAuqY1o0cuHrGz',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiKmEZz706jVrd2h',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiNO8RmwsA9QES9i',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiJkvk4SB0MHIMcw',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiKAuqY1o0cuHrGz',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiMeFusAHAttB9p9',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiKmEZz706jVrd2h',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiJUzY4x0c6jgigU',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiKmEZz706jVrd2h',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiJUzY4x0c6jgigU',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiNzZKKO8we5ott6',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiJUI35VLoIdduar',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiNzZKKO8we5ott6',1900000000000000);
CREATE TABLE client_secrets (
        id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        name TEXT NOT NULL,
        display TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        CONSTRAINT pk_client_secrets PRIMARY KEY (id),
        CONSTRAINT ck_client_secrets_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_client_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_client_secrets_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT uq_client_secrets_digest UNIQUE (digest)
    );
CREATE TABLE clients (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        grant_types TEXT NOT NULL,
        response_types TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        post_logout_redirect_uris TEXT NOT NULL,
        scopes TEXT NOT NULL,
        audiences TEXT NOT NULL,
        token_endpoint_auth_method VARCHAR(32) NOT NULL,
        jwks TEXT NOT NULL,
        metadata TEXT NOT NULL,
        require_pkce BOOLEAN NOT NULL,
        first_party BOOLEAN NOT NULL,
        dpop_bound BOOLEAN NOT NULL,
        token_format VARCHAR(32) NOT NULL,
        access_token_seconds BIGINT,
        registered BOOLEAN NOT NULL,
        registration_digest BLOB,
        registration_pepper_id TEXT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_clients PRIMARY KEY (id),
        CONSTRAINT fk_clients_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES users (tenant_id, id),
        CONSTRAINT ck_clients_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_clients_access_token_seconds CHECK (access_token_seconds > 0),
        CONSTRAINT ck_clients_registration_pepper_id
            CHECK ((registration_digest IS NULL) = (registration_pepper_id IS NULL)),
        CONSTRAINT ck_clients_token_endpoint_auth_method
            CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')),
        CONSTRAINT ck_clients_token_format CHECK (token_format IN ('opaque', 'jwt'))
    );
CREATE TABLE consents (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_consents PRIMARY KEY (id),
        CONSTRAINT fk_consents_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT uq_consents_user_id_client_id UNIQUE (user_id, client_id),
        CONSTRAINT fk_consents_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0), client_id TEXT, audiences TEXT, jkt TEXT, act TEXT,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiLgyj6ce6JP1mQU','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiLgyj6ce6JP1mQU','','{}','bf_key_03GA…QaZE','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'028C9A47A8C45AE4063CF1685E27FF8BBE654D397869232AE40475451C69C3A9','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiK8qcwYB9wJGgOF','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiK8qcwYB9wJGgOF','','{}','bf_key_03GA…zVHL','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'AC81BF41AEE640CD93B1864B2877520621AEF7904EBC6B19003F8AA4E4C47373','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLtCUOTl7kdmWsU','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLtCUOTl7kdmWsU','','{}','bf_key_03GA…Sk2j','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A708672C37528FF1F0306094BD01F823791607B2C850BC70C8148AD8BD350B34','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKGHRvx1KzTE5BV','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKGHRvx1KzTE5BV','192.0.2.0/24','{}','bf_key_03GA…DbOY','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'544659001B7DE66F6F96C0848780B9402E0A0228ECB387D9474F27F30F923B5E','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJNFo8lBeRK1d2R','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJNFo8lBeRK1d2R','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…39xC','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'074A3D049DC0164803BE73E8F6436977C2B429A0D4B0265B75AF36DB2C3BC1D8','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMBdaEVugpHorOp','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiMBdaEVugpHorOp','','{}','bf_key_03GA…DhPz','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'23B6DD03CC43F660457AE5D417A2346A20437CEC8C9BD62E550C04EFF5DAFFF6','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiOAiM6NxUtSvfDK','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiOAiM6NxUtSvfDK','','{}','bf_key_03GA…8MPp','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'4D7103DBEA10197210E0E937F93601B383C358ED74224A587540C7BF1E9EAA40','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNO8RmwsA9QES9i','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiNO8RmwsA9QES9i','','{}','bf_key_03GA…tqbO','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2326ED37CD4C8696EEC24E4CEAB4689BA73AE9B135C7B9F40E242B1C0B1BDCA8','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJkvk4SB0MHIMcw','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiJkvk4SB0MHIMcw','','{}','bf_key_03GA…NZjJ','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'6AC736A124BB19BCBD5CDDCFE462E270AD0306E8B51C131BB86003A0D520DCF5','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKAuqY1o0cuHrGz','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiKAuqY1o0cuHrGz','','{}','bf_key_03GA…5v40','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'48D2FB49F0FEAE54D4B19F1D20B24D7DA3CEA822CA19BE203A9A7BD101C67AEE','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKmEZz706jVrd2h','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiKmEZz706jVrd2h','','{}','bf_key_03GA…jDHV','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'3DAF96A2A747A91E0ED565130DDFD91F8E3FECEC7F0A02DABD75317B6573AB63','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMeFusAHAttB9p9','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiKAuqY1o0cuHrGz','key_03GANXBiKAuqY1o0cuHrGz','','{}','bf_key_03GA…lLPy','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'7FCD3A400F9E09BBA5EE14A62DE3C383453FEEEE39BC7684E93220D4A7BD94D7','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJUzY4x0c6jgigU','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiKmEZz706jVrd2h','key_03GANXBiKmEZz706jVrd2h','','{}','bf_key_03GA…KVUd','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'53C8000467BD140288BA4B8A2C40754DF7477FD3DA0FB0ED9DEC8E6EE369A519','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJUI35VLoIdduar','api_key','ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiNzZKKO8we5ott6','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJUI35VLoIdduar','','{}','bf_key_03GA…lQs6','usr_03GANXBiN6U6sgELwyw920',1900000000000000,1900000000000000,NULL,NULL,NULL,X'E6477EC1B13D52E8702327F7017E234FB55A2DF18A1D648947684887EA75C33F','e18a51f90c52',NULL,NULL,'',NULL,'{}');
CREATE TABLE denials (
        request_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT,
        user_id TEXT,
        credential_id TEXT,
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    );
CREATE TABLE device_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_code_digest BLOB NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        interval_seconds BIGINT NOT NULL,
        polled_at BIGINT,
        user_id TEXT,
        session_id TEXT,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        nonce TEXT,
        address TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_device_codes PRIMARY KEY (digest),
        CONSTRAINT ck_device_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_device_codes_user_code_digest_length CHECK (length(user_code_digest) = 32),
        CONSTRAINT ck_device_codes_user_id CHECK (user_id IS NOT NULL OR status = 'pending'),
        CONSTRAINT ck_device_codes_grant_id CHECK ((grant_id IS NOT NULL) = (status = 'redeemed')),
        CONSTRAINT ck_device_codes_interval_seconds CHECK (interval_seconds > 0),
        CONSTRAINT uq_device_codes_user_code_digest UNIQUE (user_code_digest),
        CONSTRAINT fk_device_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT ck_device_codes_status CHECK (status IN ('pending', 'approved', 'denied', 'redeemed'))
    );
CREATE TABLE expiry_notices (
        credential_id TEXT NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    );
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE foreign_digests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        prefix TEXT,
        hash TEXT,
        CONSTRAINT pk_foreign_digests PRIMARY KEY (digest),
        CONSTRAINT ck_foreign_digests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_foreign_digests_hash CHECK ((prefix IS NULL) = (hash IS NULL))
    ) WITHOUT ROWID
    ;
CREATE TABLE foreign_rules (
        id TEXT NOT NULL,
        scheme VARCHAR(32) NOT NULL,
        sealed_key BLOB NOT NULL,
        prefix_length BIGINT NOT NULL,
        CONSTRAINT pk_foreign_rules PRIMARY KEY (id),
        CONSTRAINT ck_foreign_rules_scheme CHECK (scheme IN ('plain', 'sha256', 'sha512', 'hmac-sha256', 'hash'))
    );
CREATE TABLE grant_refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        grant_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_grant_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT ck_grant_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_grant_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_grant_refresh_tokens_sealed_answer
            CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL),
        CONSTRAINT fk_grant_refresh_tokens_grant_id FOREIGN KEY(grant_id)
            REFERENCES grants (id) ON DELETE CASCADE
    );
CREATE TABLE grants (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        session_id TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        created_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_grants PRIMARY KEY (id),
        CONSTRAINT fk_grants_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT fk_grants_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE guesses (
        subject TEXT NOT NULL,
        failures BIGINT NOT NULL,
        refused_until_us BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_guesses PRIMARY KEY (subject),
        CONSTRAINT ck_guesses_failures CHECK (failures >= 0)
    );
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE initial_access_tokens (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        display TEXT NOT NULL,
        scopes TEXT NOT NULL,
        uses_left BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_initial_access_tokens PRIMARY KEY (id),
        CONSTRAINT ck_initial_access_tokens_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_initial_access_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_initial_access_tokens_uses_left CHECK (uses_left >= 0),
        CONSTRAINT fk_initial_access_tokens_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT uq_initial_access_tokens_digest UNIQUE (digest)
    );
CREATE TABLE known_places (
        user_id TEXT NOT NULL,
        place TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user_id, place),
        CONSTRAINT fk_known_places_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE letters (
        id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        CONSTRAINT pk_letters PRIMARY KEY (id),
        CONSTRAINT ck_letters_tries CHECK (tries >= 0)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE notification_settings (
        user_id TEXT NOT NULL,
        unwanted TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_notification_settings PRIMARY KEY (user_id),
        CONSTRAINT fk_notification_settings_user_id FOREIGN KEY (user_id) REFERENCES users (id)
    );
CREATE TABLE one_time_secrets (
        id TEXT NOT NULL,
        purpose VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        email_folded TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        failures BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_one_time_secrets PRIMARY KEY (id),
        CONSTRAINT uq_one_time_secrets_digest UNIQUE (digest),
        CONSTRAINT fk_one_time_secrets_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_one_time_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_one_time_secrets_failures CHECK (failures >= 0),
        CONSTRAINT ck_one_time_secrets_purpose CHECK (purpose IN ('invitation', 'password_reset', 'login'))
    );
CREATE TABLE passkeys (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id BLOB NOT NULL,
        public_key BLOB NOT NULL,
        sign_count BIGINT NOT NULL,
        transports TEXT NOT NULL,
        aaguid TEXT NOT NULL,
        name TEXT NOT NULL,
        backup_eligible BOOLEAN NOT NULL,
        backed_up BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT,
        suspected_at BIGINT,
        CONSTRAINT pk_passkeys PRIMARY KEY (id),
        CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_passkeys_credential_id_length CHECK (length(credential_id) BETWEEN 1 AND 1023),
        CONSTRAINT ck_passkeys_sign_count CHECK (sign_count >= 0),
        CONSTRAINT ck_passkeys_backed_up CHECK (backup_eligible OR NOT backed_up),
        CONSTRAINT ck_passkeys_name_length CHECK (length(name) BETWEEN 1 AND 100)
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiN6U6sgELwyw920','person','$argon2id$v=19$m=8,t=1,p=1$LZdyLN6OPN9dzB6HpHN24g$wwuvZkAGVdct6P3BMwSEGETO/Hg3EprdFkBAoGzI6Vs',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE pushed_requests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        parameters TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        CONSTRAINT pk_pushed_requests PRIMARY KEY (digest),
        CONSTRAINT ck_pushed_requests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_pushed_requests_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE recovery_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_recovery_codes_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_refresh_tokens_sealed_answer CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL)
    );
CREATE TABLE sessions (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        device TEXT NOT NULL,
        address TEXT,
        methods TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT ck_sessions_device_length CHECK (length(device) <= 255)
    );
CREATE TABLE "signing_keys" (
        kid TEXT NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'beside', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    );
CREATE TABLE spent_assertions (
        digest BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_spent_assertions PRIMARY KEY (digest),
        CONSTRAINT ck_spent_assertions_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiNv2UOofQIDTCY2','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE totp_factors (
        user_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        last_counter BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL, root_id TEXT,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiNv2UOofQIDTCY2','usr_03GANXBiN6U6sgELwyw920','key_03GANXBiLgyj6ce6JP1mQU','accepted',18,NULL);
CREATE TABLE usage_totals (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_totals PRIMARY KEY (span, starts_at, tenant_id, outcome),
        CONSTRAINT ck_usage_totals_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_totals_requests CHECK (requests > 0)
    ) WITHOUT ROWID
;
INSERT INTO "usage_totals" VALUES(60,1899999960000000,'ten_03GANXBiNv2UOofQIDTCY2','accepted',18);
INSERT INTO "usage_totals" VALUES(3600,1899997200000000,'ten_03GANXBiNv2UOofQIDTCY2','accepted',18);
INSERT INTO "usage_totals" VALUES(86400,1899936000000000,'ten_03GANXBiNv2UOofQIDTCY2','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('3942513e11079fb061105e83725d5149',3,1900000000000000);
CREATE TABLE used_scopes (
        credential_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        first_used_at BIGINT NOT NULL,
        CONSTRAINT pk_used_scopes PRIMARY KEY (credential_id, scope)
    );
INSERT INTO "used_scopes" VALUES('key_03GANXBiLgyj6ce6JP1mQU','write',1900000000000000);
INSERT INTO "used_scopes" VALUES('key_03GANXBiLgyj6ce6JP1mQU','admin',1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiN6U6sgELwyw920','ten_03GANXBiNv2UOofQIDTCY2','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiNzZKKO8we5ott6','ten_03GANXBiNv2UOofQIDTCY2','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE TABLE webhook_deliveries (
        webhook_id TEXT NOT NULL,
        event_id TEXT NOT NULL,
        action TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        attempts TEXT NOT NULL,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (webhook_id, event_id),
        CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed')),
        CONSTRAINT ck_webhook_deliveries_tries CHECK (tries >= 0)
    );
CREATE TABLE webhooks (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        disabled_because TEXT,
        failures BIGINT NOT NULL,
        failing_since BIGINT,
        quiet_until BIGINT,
        sealed_secret BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        old_sealed_secret BLOB NOT NULL,
        old_pepper_id TEXT,
        old_secret_until BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_webhooks PRIMARY KEY (id),
        CONSTRAINT fk_webhooks_tenant_id FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT fk_webhooks_created_by FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT ck_webhooks_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2000),
        CONSTRAINT ck_webhooks_status CHECK (status IN ('active', 'disabled')),
        CONSTRAINT ck_webhooks_failures CHECK (failures >= 0)
    );
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
CREATE INDEX ix_denials_at ON denials (at);
CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at);
CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    ;
CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at, id);
CREATE INDEX ix_sessions_tenant_created ON sessions (tenant_id, created_at, id);
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires_at);
CREATE INDEX ix_one_time_secrets_user ON one_time_secrets (user_id, purpose);
CREATE INDEX ix_one_time_secrets_expires ON one_time_secrets (expires_at);
CREATE INDEX ix_recovery_codes_user ON recovery_codes (user_id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_clients_created ON clients (created_at, id);
CREATE INDEX ix_clients_tenant_created ON clients (tenant_id, created_at, id);
CREATE INDEX ix_client_secrets_client ON client_secrets (client_id, created_at, id);
CREATE INDEX ix_grants_client ON grants (client_id, created_at, id);
CREATE INDEX ix_grants_session ON grants (session_id);
CREATE INDEX ix_grants_user ON grants (user_id, created_at, id);
CREATE INDEX ix_grant_refresh_tokens_expires ON grant_refresh_tokens (expires_at);
CREATE INDEX ix_grant_refresh_tokens_grant ON grant_refresh_tokens (grant_id);
CREATE INDEX ix_authorization_codes_expires ON authorization_codes (expires_at);
CREATE INDEX ix_pushed_requests_expires ON pushed_requests (expires_at);
CREATE INDEX ix_device_codes_expires ON device_codes (expires_at);
CREATE INDEX ix_consents_client ON consents (client_id);
CREATE INDEX ix_initial_access_tokens_expires ON initial_access_tokens (expires_at);
CREATE INDEX ix_initial_access_tokens_tenant_created ON initial_access_tokens (tenant_id, created_at, id);
CREATE INDEX ix_spent_assertions_expires ON spent_assertions (expires_at);
CREATE INDEX ix_foreign_digests_prefix ON foreign_digests (prefix) WHERE prefix IS NOT NULL;
CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status IN ('next', 'current');
CREATE INDEX ix_passkeys_user ON passkeys (user_id, created_at, id);
CREATE INDEX ix_letters_due ON letters (due_at, id);
CREATE INDEX ix_webhooks_tenant ON webhooks (tenant_id, created_at, id);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, event_id)
    WHERE status = 'waiting'
    ;
CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, created_at, event_id);
CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
